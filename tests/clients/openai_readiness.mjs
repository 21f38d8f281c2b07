// What the npm client makes of each kind of response, as one JSON object on stdout.
import OpenAI from "openai";

const keys = { baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY };
const client = new OpenAI({ ...keys, maxRetries: 0 });
const ask = {
  model: "gpt-3.5-turbo-instruct",
  prompt: "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,",
  max_tokens: 16,
  temperature: 0,
};

// What a call returns, or the error that it ends with.
async function tried(call) {
  try {
    return { got: (await call()) ?? null, error: null };
  } catch (error) {
    return { got: null, error: error.constructor.name, message: error.message };
  }
}

async function streamed(request) {
  const texts = [];
  for await (const chunk of await client.completions.create({ ...request, stream: true })) {
    for (const choice of chunk.choices) texts.push(choice.text);
  }
  return texts.every((text) => text === undefined) ? null : texts.join("");
}

// How often a bad request is sent by a client that is left as it comes.
async function sent() {
  let count = 0;
  const counting = (url, options) => {
    count += 1;
    return fetch(url, options);
  };
  await tried(() => new OpenAI({ ...keys, fetch: counting }).completions.create(bad));
  return count;
}

const bad = { ...ask, temperature: 9 };
const stranger = new OpenAI({ ...keys, apiKey: "sk-wrong", maxRetries: 0 });

console.log(
  JSON.stringify({
    text: await tried(async () => (await client.completions.create(ask)).choices[0].text),
    stream: await tried(() => streamed(ask)),
    refused: await tried(() => client.completions.create(bad)),
    refusedStream: await tried(() => streamed(bad)),
    stranger: await tried(() => stranger.completions.create(ask)),
    unknown: await tried(() => client.completions.create({ ...ask, model: "gpt-9" })),
    sent: await sent(),
  }),
);
