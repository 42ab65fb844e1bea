// The page's two wires to the local world: a stream of snapshots in, small commands out.

// follow opens the stream as one person and calls onSnapshot for each snapshot and onLost when the world
// has gone; the browser keeps trying by itself. It returns a function that closes the stream.
export function follow(person, { onSnapshot, onLost }) {
  const source = new EventSource(`/world/stream?as=${encodeURIComponent(person)}`);
  source.addEventListener("message", (event) => onSnapshot(JSON.parse(event.data)));
  source.addEventListener("error", onLost);
  return () => source.close();
}

// Refusal is what the world would not do: a code such as IncorrectInstanceState and a sentence.
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// post sends one command, such as post("ec2", {do: "start", id}), and throws a Refusal if it was not done.
export async function post(what, body) {
  let response;
  try {
    response = await fetch(`/world/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refusal("unreachable", "The local world does not answer. Is it still running?");
  }
  if (response.ok) return;
  const { code, message } = await response.json().catch(() => ({ code: `HTTP ${response.status}`, message: response.statusText }));
  throw new Refusal(code, message);
}
