// Node's own fetch: `fetch(url, { method, headers, body }).then((r) => r.json())`.
import { serve, told } from "./order.mjs";

await serve(async ({ base_url: baseURL, request }, key) => {
  const headers = { "Content-Type": "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(`${baseURL}/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify(request),
  });
  const reply = {
    status: response.status,
    content_type: response.headers.get("content-type"),
  };
  // `r.json()` is this text parsed; taken in two steps, the text is there to be shown as well.
  reply.raw = await response.text();
  if (!request.stream) {
    try {
      reply.answer = JSON.parse(reply.raw);
    } catch (error) {
      reply.failure = told(error);
    }
  }
  return reply;
});
