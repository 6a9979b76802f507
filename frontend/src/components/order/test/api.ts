import { vi } from "vitest";

type Reply = { status: number; body: unknown } | Promise<{ status: number; body: unknown }>;

/** A fake API that responds with `routes["POST /api/v1/..."]` and records the requests. */
export function serve(routes: Record<string, (body: unknown) => Reply>): { requests: string[] } {
  const requests: string[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const route = `${request.method} ${new URL(request.url).pathname}`;
    const text = await request.text();
    requests.push(text ? `${route} ${text}` : route);
    const answer = routes[route];
    if (!answer) return json(404, problem("not_found", `No ${route} here.`));
    const { status, body } = await answer(text ? JSON.parse(text) : undefined);
    return json(status, body);
  });
  return { requests };
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

export function problem(code: string, detail: string, status = 404) {
  return { type: `urn:pastelka:${code}`, title: code, status, detail, code };
}
