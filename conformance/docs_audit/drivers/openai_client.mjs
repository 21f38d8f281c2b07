// The `openai` package from npm: `client.completions.create(request)`, streamed or not.
// With the argument --version it prints the package's version and sends nothing.
import { createRequire } from "node:module";
import { join } from "node:path";

import { errorText, serve } from "./order.mjs";

// The user's package is resolved from the working directory, not from the folder of this file;
// `require` also searches NODE_PATH, which `import` does not.
const require = createRequire(join(process.cwd(), "driver.js"));

async function send({ base_url: baseURL, request }, key) {
  const { OpenAI } = require("openai");
  const reply = {};
  const client = new OpenAI({
    baseURL,
    apiKey: key || "no-key-needed", // the client requires one
    maxRetries: 0, // one example costs one request
    fetch: async (...what) => {
      const response = await fetch(...what);
      reply.status = response.status;
      reply.content_type = response.headers.get("content-type");
      return response;
    },
  });
  try {
    const made = await client.completions.create(request);
    if (request.stream) {
      reply.chunks = [];
      for await (const chunk of made) reply.chunks.push(chunk);
    } else {
      reply.answer = made;
    }
  } catch (error) {
    reply.failure = errorText(error);
  }
  return reply;
}

if (process.argv[2] === "--version") {
  process.stdout.write(`${require("openai/version").VERSION}\n`);
} else {
  await serve(send);
}
