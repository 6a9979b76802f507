import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BookButton } from "@/components/order/BookButton";
import { image, order } from "@/components/order/test/orders";
import type { Book, Preflight } from "@/lib/bookApi";
import { BOOK_OPTIONS, sampleBook, sampleFinding } from "@/test/bookSamples";
import { FakeEventSource } from "@/test/FakeEventSource";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { VIEWER, WithSession } from "@/test/viewer";
import { problem, serve } from "@/components/order/test/api";

const BOOKS = "/api/v1/orders/1270/books";
const FINE: Preflight = { can_print: true, findings: [] };
const STOPPED: Preflight = {
  can_print: false,
  findings: [
    sampleFinding("low_resolution", { image_id: 7, values: { page: "1", ppi: 112, needed: 200 } }),
    sampleFinding("photo_replaced", { severity: "error", image_id: 7, values: { page: "1" } }),
  ],
};

/** A fake API with these versions and findings. */
interface Api {
  books: Book[];
  preflight: Preflight;
  requests: string[];
  /** URLs of the POST requests. */
  addresses: string[];
}

function serveBooks(books: Book[], preflight: Preflight = FINE): Api {
  const api: Api = { books, preflight, requests: [], addresses: [] };
  const ok = (body: unknown) => ({ status: 200, body });
  const create = (body: unknown) => {
    const options = body as Book["options"];
    const made = sampleBook(api.books.length + 1, { status: "queued", options, progress: 0 });
    api.books = [made, ...api.books];
    return { status: 202, body: made };
  };
  const { requests } = serve({
    "GET /api/v1/books/options": () => ok(BOOK_OPTIONS),
    [`GET ${BOOKS}`]: () => ok(api.books),
    [`GET ${BOOKS}/preflight`]: () => ok(api.preflight),
    [`POST ${BOOKS}`]: create,
    [`POST ${BOOKS}/1/retry`]: () => ok(sampleBook(1, { status: "queued", progress: 0 })),
    [`PATCH ${BOOKS}/1`]: (body) => {
      const { is_printed } = body as { is_printed: boolean };
      return ok(sampleBook(1, { printed_at: is_printed ? "2026-11-24T10:00:00+01:00" : null }));
    },
  });
  api.requests = requests;
  const answer = fetch;
  vi.stubGlobal("fetch", (request: Request) => {
    if (request.method === "POST") api.addresses.push(request.url);
    return answer(request);
  });
  return api;
}

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal("EventSource", FakeEventSource);
});
afterEach(() => {
  vi.unstubAllGlobals();
  forgetToasts();
});

async function open(changes = {}) {
  const shown = renderPage(
    <WithSession changes={changes}>
      <BookButton order={order([image()])} />
      <article id="image-7" tabIndex={-1}>
        the photo
      </article>
    </WithSession>,
    "/",
  );
  await shown.user.click(screen.getByRole("button", { name: "Kniha" }));
  await screen.findByRole("combobox", { name: "Papír" });
  return shown;
}

const posted = (api: Api) => api.requests.filter((request) => request.startsWith(`POST ${BOOKS}`));
const sheets = () => screen.getAllByRole("img").map((sheet) => sheet.getAttribute("src"));

/** Completes the newest version, as the worker does. */
function complete(api: Api) {
  const [newest, ...others] = api.books;
  if (!newest) throw new Error("no version");
  api.books = [sampleBook(newest.version, { options: newest.options }), ...others];
  act(() => FakeEventSource.latest.send({ type: "order_update", order_number: "1270" }));
}

// Changes at once: a new version is composed by the clock, a moment after the last one.
function chooseOwnPaper(): void {
  fireEvent.change(screen.getByRole("combobox", { name: "Papír" }), { target: { value: "custom" } });
}

function change(name: string, value: string): HTMLElement {
  const field = screen.getByLabelText(name);
  fireEvent.change(field, { target: { value } });
  return field;
}

describe("the book of an order", () => {
  it("is composed with the defaults of the settings, and shows its sheets when it is completed", async () => {
    const api = serveBooks([]);
    const { user } = await open();
    await user.click(await screen.findByRole("button", { name: "Sestavit knihu" }));
    expect(await screen.findByText("Verze 1 čeká na sestavení")).toBeVisible();
    expect(posted(api)).toEqual([`POST ${BOOKS} ${JSON.stringify(BOOK_OPTIONS)}`]);
    complete(api);
    await waitFor(() => expect(sheets()).toEqual(sampleBook(1).previews));
    expect(screen.getByRole("button", { name: "Stáhnout PDF" })).toBeVisible();
    expect(screen.getByText("2 strany se všemi výtisky")).toBeVisible();
  });

  it("is composed again when an option is changed; quick changes make one version", async () => {
    const api = serveBooks([sampleBook(1)]);
    const { unmount } = await open();
    await waitFor(() => expect(sheets()).toEqual(sampleBook(1).previews));
    const paper = screen.getByRole("combobox", { name: "Papír" });
    const numbers = screen.getByRole("checkbox", { name: "Čísla stran" });
    fireEvent.change(paper, { target: { value: "A5" } });
    fireEvent.click(numbers);
    expect(screen.getByText("Náhled je z verze 1 s jiným nastavením.")).toBeVisible();
    await screen.findByText("Verze 2 čeká na sestavení");
    expect(posted(api)).toHaveLength(1);
    expect(api.books[0]?.options).toEqual({ ...BOOK_OPTIONS, paper: "A5", has_numbers: true });
    complete(api);
    await waitFor(() => expect(sheets()).toEqual(sampleBook(2).previews));
    unmount();
    // Another order begins with what this browser chose last.
    serveBooks([]);
    await open();
    expect(screen.getByRole("combobox", { name: "Papír" })).toHaveValue("A5");
  });

  it("is not composed while a length is invalid", async () => {
    const api = serveBooks([sampleBook(1)]);
    const { user } = await open();
    chooseOwnPaper();
    const width = change("Šířka (mm)", "20");
    expect(screen.getByRole("alert")).toHaveTextContent("Zadejte číslo od 50 do 1 200.");
    expect(screen.getByRole("button", { name: "Sestavit znovu" })).toBeDisabled();
    await user.type(width, "0");
    await screen.findByText("Verze 2 čeká na sestavení");
    expect(posted(api)).toHaveLength(1);
    expect(api.books[0]?.options).toMatchObject({ paper: "custom", width_mm: 200, height_mm: 297 });
  });

  it("is not composed, sent or stored while nothing would fit on the paper", async () => {
    const api = serveBooks([sampleBook(1)]);
    await open();
    chooseOwnPaper();
    change("Okraj na vazbu (mm)", "20");
    change("Šířka (mm)", "60");
    expect(screen.getByRole("alert")).toHaveTextContent(/Plocha pro tisk by byla menší než 30 × 30 mm/);
    expect(screen.getByRole("button", { name: "Sestavit znovu" })).toBeDisabled();
    expect(localStorage.getItem("pastelka.book")).not.toContain('"width_mm":60');
    expect(posted(api)).toEqual([]);
  });

  it("whose preflight failed says why, and is checked again", async () => {
    const api = serveBooks([]);
    const answer = fetch;
    let isBroken = true;
    vi.stubGlobal("fetch", (request: Request) =>
      isBroken && request.url.includes("/preflight")
        ? Promise.resolve(
            Response.json(problem("storage_unavailable", "The storage failed.", 503), { status: 503 }),
          )
        : answer(request),
    );
    const { user } = await open();
    const alert = await screen.findByRole("alert");
    expect(screen.queryByText("Kontroluje se")).toBeNull();
    isBroken = false;
    await user.click(within(alert).getByRole("button", { name: "Zkusit znovu" }));
    await user.click(await screen.findByRole("button", { name: "Sestavit knihu" }));
    await waitFor(() => expect(posted(api)).toHaveLength(1));
  });

  it("is composed with the paper that was chosen while a layout was saved", async () => {
    const api = serveBooks([sampleBook(1)]);
    const answer = fetch;
    const item = { id: 3, title: "Omalovánky", quantity: 1, dedication: "Pro Elišku", layout: null };
    let save: ((response: Response) => void) | undefined;
    const saved = new Promise<Response>((resolve) => {
      save = resolve;
    });
    vi.stubGlobal("fetch", (request: Request) => {
      if (!request.url.includes("/line-items/3")) return answer(request);
      return request.method === "PATCH" ? saved : Promise.resolve(Response.json(item));
    });
    const { user } = await open();
    await user.selectOptions(screen.getByRole("combobox", { name: "Rozvržení" }), "two");
    await user.selectOptions(screen.getByRole("combobox", { name: "Papír" }), "A5");
    save?.(Response.json({ ...item, layout: "two" }));
    await screen.findByText("Verze 2 čeká na sestavení");
    expect(api.books.map(({ options }) => options.paper)).toEqual(["A5", "A4"]);
  });

  it("is stopped by errors of the preflight unless that is confirmed", async () => {
    const api = serveBooks([], STOPPED);
    const { user } = await open();
    const rows = await screen.findAllByRole("listitem");
    expect(rows.slice(0, 2).map((row) => row.textContent)).toEqual([
      expect.stringContaining("Chyba: Fotku omalovánky 1 zákazník vyměnil"),
      expect.stringContaining("Upozornění: Omalovánka 1 se vytiskne s\u00a0112 body"),
    ]);
    expect(screen.queryByRole("button", { name: "Sestavit knihu" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Sestavit i\u00a0s\u00a0chybami" }));
    expect(posted(api)).toEqual([]);
    const question = screen.getByRole("dialog", { name: "Sestavit knihu i\u00a0s\u00a0chybami?" });
    await user.click(within(question).getByRole("button", { name: "Sestavit s\u00a0chybami" }));
    await waitFor(() => expect(posted(api)).toHaveLength(1));
    expect(api.addresses.at(-1)).toContain("?force=true");
  });

  it("without any page cannot be forced", async () => {
    serveBooks([], { can_print: false, findings: [sampleFinding("no_pages", { severity: "error" })] });
    await open();
    expect(await screen.findByText(/Není co tisknout/)).toBeVisible();
    expect(screen.queryByRole("button", { name: /Sestavit/ })).toBeNull();
  });

  it("goes from a finding to its photo", async () => {
    serveBooks([], STOPPED);
    const { user } = await open();
    const [jump] = await screen.findAllByRole("button", { name: /^Přejít na fotku/ });
    if (!jump) throw new Error("no jump");
    await user.click(jump);
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await waitFor(() => expect(screen.getByText("the photo")).toHaveFocus());
  });

  it("that failed says why and is retried", async () => {
    const error = { code: "not_printable", message: "Page 1270-1 is damaged." };
    const api = serveBooks([sampleBook(1, { status: "error", error })]);
    const { user } = await open();
    expect(await screen.findByText(/Některá omalovánka je poškozená/)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Zkusit znovu" }));
    await waitFor(() => expect(posted(api)).toEqual([`POST ${BOOKS}/1/retry`]));
    expect(await screen.findByText("Verze 1 čeká na sestavení")).toBeVisible();
  });

  it("is marked as printed, and unmarked", async () => {
    serveBooks([sampleBook(1)]);
    const { user } = await open();
    await user.click(await screen.findByRole("button", { name: "Označit jako vytištěnou" }));
    await user.click(await screen.findByRole("button", { name: "Není vytištěná" }));
    expect(await screen.findByRole("button", { name: "Označit jako vytištěnou" })).toBeVisible();
  });

  it("shows an older version with its options", async () => {
    const older = sampleBook(1, { options: { ...BOOK_OPTIONS, paper: "A3" } });
    const api = serveBooks([sampleBook(2), older]);
    const { user } = await open();
    await user.selectOptions(await screen.findByRole("combobox", { name: "Verze" }), "1");
    expect(screen.getByRole("combobox", { name: "Papír" })).toHaveValue("A3");
    expect(sheets()).toEqual(older.previews);
    expect(posted(api)).toEqual([]);
  });

  it("offers a viewer the sheets and the file only", async () => {
    const api = serveBooks([sampleBook(1)]);
    const { user } = await open(VIEWER);
    expect(screen.getByRole("button", { name: "Stáhnout PDF" })).toBeVisible();
    expect(screen.queryByRole("button", { name: /Sestavit|vytištěn/ })).toBeNull();
    expect(screen.getByRole("combobox", { name: "Papír" })).toBeDisabled();
    await user.keyboard("{Escape}");
    expect(posted(api)).toEqual([]);
  });
});
