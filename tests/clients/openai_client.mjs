// What the npm client makes of the server's answers, as one JSON object on stdout.
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: process.env.BASE_URL,
  apiKey: process.env.API_KEY,
  maxRetries: 0,
});
const base = { model: "gpt-3.5-turbo-instruct", prompt: "1, 2, 3,", seed: 1, max_tokens: 12 };

async function refused(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    const { status, code, param, type } = error;
    return { name: error.constructor.name, status, code, param, type };
  }
}

async function streamed(request) {
  const texts = {};
  const finishes = [];
  let usage = null;
  const stream = await client.completions.create({
    ...request,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    for (const choice of chunk.choices) {
      texts[choice.index] = (texts[choice.index] ?? "") + choice.text;
      if (choice.finish_reason) finishes.push(choice.index);
    }
  }
  return { texts, finishes: finishes.sort(), usage };
}

// The headers and the answer, by either way to get at the response itself.
async function raw(request) {
  const { data, response } = await client.completions.create(request).withResponse();
  const plain = await client.completions.create(request).asResponse();
  const stream = await client.completions.create({ ...request, stream: true }).asResponse();
  return {
    requestId: response.headers.get("x-request-id"),
    types: [plain, stream].map((each) => each.headers.get("content-type").split(";")[0]),
    texts: [data.choices[0].text, (await plain.json()).choices[0].text],
    lastLine: (await stream.text()).trimEnd().split("\n").at(-1),
  };
}

// One request fills the busy server and leaves at the first refusal, so that a retry finds room.
async function retried() {
  const keys = { baseURL: process.env.BUSY_URL, apiKey: process.env.API_KEY };
  const first = new OpenAI({ ...keys, maxRetries: 0 });
  const running = await first.completions.create({ ...base, n: 16, max_tokens: 1900, stream: true });
  const statuses = [];
  const patient = new OpenAI({
    ...keys,
    maxRetries: 8,
    fetch: async (url, options) => {
      const response = await fetch(url, options);
      statuses.push(response.status);
      running.controller.abort();
      return response;
    },
  });
  const refusal = await refused(first.completions.create(base));
  const answer = await patient.completions.create(base);
  return { refusal, statuses, text: answer.choices[0].text };
}

const unicode = { ...base, prompt: ["春眠不觉晓，", "😀 e\u0301"], n: 2, echo: true };
const stranger = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: "sk-wrong", maxRetries: 0 });
const models = [];
for await (const model of client.models.list()) models.push(model.id);

console.log(
  JSON.stringify({
    plain: await client.completions.create(base),
    streamed: await streamed(base),
    unicode: await client.completions.create(unicode),
    unicodeStreamed: await streamed(unicode),
    scored: await client.completions.create({ ...base, max_tokens: 0, echo: true, logprobs: 2 }),
    sampled: await client.completions.create({ ...base, n: 2, best_of: 3, logprobs: 1, suffix: "." }),
    raw: await raw(base),
    retried: await retried(),
    refusals: [
      await refused(client.completions.create({ ...base, stop: ["a", "b", "c", "d", "e"] })),
      await refused(client.completions.create({ ...base, model: "gpt-9" })),
      await refused(client.completions.create({ ...base, temperature: 3, stream: true })),
      await refused(stranger.completions.create(base)),
    ],
    models,
  }),
);
