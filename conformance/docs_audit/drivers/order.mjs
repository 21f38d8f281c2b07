// The protocol of the Node drivers: they read an order and write a reply.
import { text } from "node:stream/consumers";

// Takes `send(order, key)`; an exception becomes the reply.
export async function serve(send) {
  const order = JSON.parse(await text(process.stdin));
  let reply;
  try {
    reply = await send(order, process.env.OPENAI_API_KEY ?? "");
  } catch (error) {
    reply = { failure: errorText(error), status: error?.status ?? null };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}

export function errorText(error) {
  const cause = error?.cause?.message ? ` (${error.cause.message})` : "";
  return `${error?.constructor?.name ?? "error"}: ${error?.message ?? error}${cause}`;
}
