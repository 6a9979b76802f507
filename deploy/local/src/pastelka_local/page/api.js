// The orders API. Every failure becomes an Error whose message is a sentence for a person.

const BASE = "/api/v1";

export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(BASE + path, {
      method,
      body: body instanceof FormData || body === undefined ? body : JSON.stringify(body),
      headers: body === undefined || body instanceof FormData ? {} : { "Content-Type": "application/json" },
    });
  } catch {
    throw new Error("Server neodpovídá. Zkuste to za chvíli.");
  }
  const content = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw Object.assign(new Error(sentence(content, response.status)), { status: response.status });
  return content;
}

function sentence(problem, status) {
  const details = (problem?.errors ?? []).map((error) => error.message).filter(Boolean);
  return [problem?.detail ?? problem?.title ?? `Chyba ${status}`, ...details].join(" ");
}

let turns = 0;

/** GET `path`; `show(content, turn)` gets the answer. Of two answers, the one with the higher turn was asked for later. */
export async function load(path, show) {
  const turn = ++turns;
  show(await call("GET", path), turn);
}

/** Whether an answer of `turn` may be shown on `node`: a slower, older answer never replaces a newer one. */
export function isNewer(node, turn) {
  if ((node.turn ?? 0) > turn) return false;
  node.turn = turn;
  return true;
}
