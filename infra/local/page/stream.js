// The page's wires to the local world: a stream of snapshots in, small commands out, and what is too long for a snapshot.

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

// load reads one thing as JSON, such as load("mail/ID"), and throws a Refusal if it is not there.
export async function load(what) {
  return (await read(what)).json();
}

// read is load for what is not JSON: it gives the Response.
export async function read(what) {
  const response = await reached(fetch(`/world/${what}`));
  if (!response.ok) throw await refusalOf(response);
  return response;
}

// post sends one command, such as post("ec2", {do: "start", id}), and throws a Refusal if it was not done.
export async function post(what, body) {
  const response = await reached(
    fetch(`/world/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
  if (!response.ok) throw await refusalOf(response);
}

async function reached(answer) {
  try {
    return await answer;
  } catch {
    throw new Refusal("unreachable", "The local world does not answer. Is it still running?");
  }
}

async function refusalOf(response) {
  const { code, message } = await response.json().catch(() => ({ code: `HTTP ${response.status}`, message: response.statusText }));
  return new Refusal(code, message);
}
