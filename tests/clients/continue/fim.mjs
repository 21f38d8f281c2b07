// What Continue's adapter for DeepSeek makes of the server's streams, as one JSON object on stdout.
import { createServer } from "node:http";
import { Readable } from "node:stream";

import { DeepSeekApi } from "@continuedev/openai-adapters/dist/apis/DeepSeek.js";

// The adapter posts to beta/completions; this hands it on to the path of the server under test.
const path = createServer(async (request, response) => {
  const body = await new Response(Readable.toWeb(request)).text();
  const left = new AbortController();
  response.on("close", () => left.abort());
  try {
    const answer = await fetch(`${process.env.BASE_URL}/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: request.headers.authorization },
      body,
      signal: left.signal,
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") });
    for await (const part of answer.body) response.write(part);
    response.end();
  } catch {
    response.destroy();
  }
});
await new Promise((ready) => path.listen(0, "127.0.0.1", ready));

const api = new DeepSeekApi({
  provider: "deepseek",
  apiBase: `http://127.0.0.1:${path.address().port}/`,
  apiKey: process.env.API_KEY,
});
const stop = ["\n\n", "\r\n\r\n", "/src/", "#- coding: utf-8", "```"];
const base = {
  model: "gpt-3.5-turbo-instruct",
  prompt: "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,",
  suffix: "\nend\n",
  temperature: 0,
};

async function filled(more, leaveAfter = Infinity) {
  const editor = new AbortController();
  let text = "";
  let chunks = 0;
  try {
    for await (const chunk of api.fimStream({ ...base, ...more }, editor.signal)) {
      text += chunk.choices[0].delta.content;
      if (++chunks === leaveAfter) {
        editor.abort();
        break;
      }
    }
    return { text, chunks, error: null };
  } catch (error) {
    return { text, chunks, error: `${error.name}: ${error.message}` };
  }
}

const fill = await filled({ max_tokens: 16, stop });
const whole = fill.text.trim();
const piece = whole.slice(Math.floor((whole.length - 3) / 2)).slice(0, 3);
const cut = await filled({ max_tokens: 16, stop: piece ? [...stop, piece] : stop });
const left = await filled({ max_tokens: 48, stop }, 1);
const after = await filled({ max_tokens: 15, stop });
console.log(JSON.stringify({ fill, piece, cut, left, after }));
path.closeAllConnections();
path.close();
