// Node's built-in fetch: `fetch(url, { method, headers, body }).then((r) => r.json())`.
import { errorText, serve } from "./order.mjs";

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
  // In two steps instead of `r.json()`, so that the text is available as well.
  reply.raw = await response.text();
  if (!request.stream) {
    try {
      reply.answer = JSON.parse(reply.raw);
    } catch (error) {
      reply.failure = errorText(error);
    }
  }
  return reply;
});
