// What the drivers for Node share: the order they read and the reply they write.
import { text } from "node:stream/consumers";

// Takes `send(order, key)`; what it throws is the client's own word on the answer.
export async function serve(send) {
  const order = JSON.parse(await text(process.stdin));
  let reply;
  try {
    reply = await send(order, process.env.OPENAI_API_KEY ?? "");
  } catch (error) {
    reply = { failure: told(error), status: error?.status ?? null };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}

export function told(error) {
  const cause = error?.cause?.message ? ` (${error.cause.message})` : "";
  return `${error?.constructor?.name ?? "error"}: ${error?.message ?? error}${cause}`;
}
