import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { orderKey, refreshImage } from "@/lib/orderQuery";
import { problem, serve } from "./test/api";
import { runTimesOf } from "./runTimes";
import { image, order, page } from "./test/orders";
import { pages, show, tile, TWO_PAGES } from "./test/showCard";

afterEach(() => vi.unstubAllGlobals());

const FAILED = image({
  versions: {
    coloring: [page(1, { status: "error", url: null, error: { code: "x", message: "Došel kredit." } })],
    svg: [],
  },
});

const LOST = { status: "error", url: null, error: { code: "file_missing", message: "Not in the storage." } };

describe("lost files", () => {
  it("shows an error for a lost photo, and no comparison", () => {
    const error = { code: "photo_missing", message: "Create the order again from the photo." };
    const selected_version_ids = { coloring: 1, svg: null };
    show(image({ error, selected_version_ids, versions: { coloring: [page(1)], svg: [] } }));
    const said = screen.getByText("Soubor fotky chybí.").closest("[role=status]");
    expect(said).toHaveTextContent("Soubor fotky chybí. Nahrajte ji znovu.");
    expect(said).toHaveTextContent("Create the order again from the photo.");
    expect(screen.queryByRole("slider")).toBeNull();
    expect(screen.queryByRole("button", { name: /: Fotka 1$/ })).toBeNull();
    expect(screen.queryByText(/Tažením přes fotku/)).toBeNull();
    expect(screen.queryByRole("button", { name: /Nová omalovánka/ })).toBeNull();
    expect(screen.getByRole("button", { name: /Nové SVG|Vygenerovat SVG/ })).toBeEnabled();
  });

  it("shows an error in place of a lost chosen page, even if a newer page exists", async () => {
    const versions = { coloring: [page(1, LOST), page(2)], svg: [] };
    const { requests } = serve({
      "POST /api/v1/coloring-versions/1/retry": () => ({
        status: 202,
        body: page(1, { status: "pending", url: null }),
      }),
    });
    const { user } = show(image({ selected_version_ids: { coloring: 1, svg: null }, versions }));
    const lane = within(screen.getByRole("group", { name: "Omalovánka" }));
    expect(lane.getByText("Soubor v úložišti chybí. Vygenerujte ho znovu.")).toBeVisible();
    expect(screen.queryByText(/Žádná omalovánka není vybraná/)).toBeNull();
    await user.click(lane.getByRole("button", { name: /znovu/i }));
    await waitFor(() => expect(requests).toEqual(["POST /api/v1/coloring-versions/1/retry"]));
  });
});

describe("choosing a version", () => {
  it("applies at once, deselects the other page's SVG, and is kept", async () => {
    let answer: (reply: { status: number; body: unknown }) => void = () => undefined;
    const pending = new Promise<{ status: number; body: unknown }>((resolve) => (answer = resolve));
    serve({
      "POST /api/v1/images/7/select-coloring/2": () => pending,
      "GET /api/v1/orders/1270/images/7": () => ({ status: 200, body: TWO_PAGES }),
    });
    const { user, queries } = show(TWO_PAGES);
    await user.click(tile(2));
    await user.click(screen.getByRole("button", { name: "Vybrat v2" }));
    expect(tile(2)).toHaveAttribute("aria-current", "true");
    expect(screen.getByText("Vybraná omalovánka nemá SVG. SVG jiné omalovánky už neplatí.")).toBeVisible();
    // An update of the image, asked for before the service has stored the choice.
    await refreshImage(queries, "1270", TWO_PAGES.id);
    expect(tile(2)).toHaveAttribute("aria-current", "true");
    answer({ status: 200, body: { status: "ok", message: "" } });
    await waitFor(() => expect(tile(2)).toHaveAttribute("aria-current", "true"));
    expect(screen.queryByRole("button", { name: "Vybrat v2" })).toBeNull();
    // Afterwards, the image is what the service says.
    await waitFor(async () => {
      await refreshImage(queries, "1270", TWO_PAGES.id);
      expect(tile(1)).toHaveAttribute("aria-current", "true");
    });
  });

  it("is reverted with an error message when the server refuses", async () => {
    const refusal = problem("version_not_completed", "Verzi nejde vybrat.", 409);
    serve({ "POST /api/v1/images/7/select-coloring/2": () => ({ status: 409, body: refusal }) });
    const { user } = show(TWO_PAGES);
    await user.click(tile(2));
    await user.click(screen.getByRole("button", { name: "Vybrat v2" }));
    expect(await screen.findByText("Vybrat lze jen dokončenou verzi.")).toBeVisible();
    expect(tile(1)).toHaveAttribute("aria-current", "true");
    expect(screen.getByText("SVG v11 · z omalovánky v1")).toBeVisible();
  });

  it("uses the position of the digit key, regardless of the keyboard layout", async () => {
    const { requests } = serve({
      "POST /api/v1/images/7/select-coloring/2": () => ({ status: 200, body: { status: "ok", message: "" } }),
    });
    show(TWO_PAGES);
    screen.getByRole("article").focus();
    fireEvent.keyDown(screen.getByRole("article"), { key: "ě", code: "Digit2" });
    await waitFor(() => expect(requests).toEqual(["POST /api/v1/images/7/select-coloring/2"]));
    expect(tile(2)).toHaveAttribute("aria-current", "true");
  });

  it("is not done by looking at a candidate, in the card or full screen", async () => {
    const { requests } = serve({});
    const { user, onView } = show(TWO_PAGES);
    expect(within(tile(1)).getByText("vybraná")).toBeVisible();
    expect(within(tile(2)).getByText("kandidát")).toBeVisible();
    await user.click(tile(2));
    expect(tile(2)).toHaveAttribute("aria-pressed", "true");
    expect(tile(1)).toHaveAttribute("aria-current", "true");
    await user.click(screen.getByRole("button", { name: /Omalovánka v2 · kandidát/ }));
    expect(onView).toHaveBeenCalledWith({ imageId: 7, view: "coloring", looked: { coloring: 2 } });
    expect(requests).toEqual([]);
  });
});

describe("a failed version", () => {
  it("shows its reason, and is retried once despite several clicks", async () => {
    const { requests } = serve({
      "POST /api/v1/coloring-versions/1/retry": () => ({
        status: 202,
        body: page(1, { status: "pending", url: null }),
      }),
    });
    const { user } = show(FAILED);
    expect(screen.getByText(/Došel kredit\./)).toBeVisible();
    await user.dblClick(screen.getByRole("button", { name: "Zkusit znovu omalovánku v1" }));
    expect(await screen.findByRole("progressbar", { name: /^Krok 1 z\s3$/ })).toBeVisible();
    expect(screen.queryByText(/Došel kredit\./)).toBeNull();
    expect(requests).toEqual(["POST /api/v1/coloring-versions/1/retry"]);
  });

  it("is only a tile once a later version succeeded", async () => {
    const { user } = show(image({ versions: { coloring: [...FAILED.versions.coloring, page(2)], svg: [] } }));
    expect(screen.queryByText(/Došel kredit\./)).toBeNull();
    await user.click(tile(1));
    expect(screen.getByText(/Došel kredit\./)).toBeVisible();
  });
});

describe("the text of a failure", () => {
  it("is in the reader's language first, followed by the service's own message", () => {
    const error = { code: "provider_out_of_credit", message: "Vectorizer.ai answered 402." };
    show(image({ versions: { coloring: [page(1, { status: "error", url: null, error })], svg: [] } }));
    expect(screen.getByText(/U poskytovatele došel kredit/)).toBeVisible();
    expect(screen.getByText("Vectorizer.ai answered 402.")).toHaveAttribute("lang", "en");
  });

  it("shows the attempt and when the next one starts", () => {
    const retry = {
      attempt: 2,
      of: 12,
      next_at: new Date(Date.now() + 90_500).toISOString(),
      code: "provider_busy",
      message: "RunPod answered 503.",
    };
    const waiting = page(1, { status: "processing", url: null, retry });
    show(image({ versions: { coloring: [waiting], svg: [] } }));
    expect(screen.getByText(/^Pokus 3 z 12 za 1 min (30|29) s\.$/)).toBeVisible();
    expect(screen.getByText(/Poskytovatel je zahlcený/)).toBeVisible();
  });

  it("marks a version that may have been paid twice", () => {
    show(image({ versions: { coloring: [page(1, { possibly_paid_twice: true })], svg: [] } }));
    expect(within(tile(1)).getByText("možná zaplaceno dvakrát")).toBeVisible();
  });
});

describe("a version in progress", () => {
  const working = image({
    versions: { coloring: [page(1, { status: "runpod_queued", url: null })], svg: [] },
  });

  it("shows its step and the elapsed time", () => {
    show(working);
    const steps = screen.getByRole("progressbar", { name: /^Krok 6 z\s7$/ });
    expect(steps).toHaveAttribute("aria-valuenow", "5");
    expect(screen.getAllByText("Runpod: čeká ve frontě").length).toBeGreaterThan(0);
    expect(screen.getByRole("timer")).toHaveTextContent(/\d+ (s|min|h)/);
  });

  it("can be cancelled", async () => {
    const cancelled = page(1, {
      status: "error",
      url: null,
      error: { code: "cancelled", message: "Cancelled." },
    });
    serve({ "POST /api/v1/coloring-versions/1/cancel": () => ({ status: 200, body: cancelled }) });
    const { user } = show(working);
    await user.click(screen.getByRole("button", { name: "Zrušit omalovánku v1" }));
    expect(await screen.findByText("Omalovánka v1 byla zrušena.")).toBeVisible();
    // It is no error, although its status is.
    const badge = tile(1).querySelector("[data-status]");
    expect(badge).toHaveTextContent(/^Zrušeno$/);
    expect(badge).toHaveClass("bg-gray-100");
  });

  it("shows its place in the queue instead of how long it usually takes", () => {
    const waiting = image({ versions: { coloring: [page(1, { status: "queued", url: null })], svg: [] } });
    const place = { status_type: "coloring" as const, version_id: 1, ahead: 30 };
    const runTimes = runTimesOf(undefined, { order_number: "1270", waiting: [place] });
    show(waiting, { ...runTimes, medianSeconds: { coloring: 4, svg: undefined } });
    expect(screen.getByRole("timer")).toHaveTextContent(/ · ve frontě je před tím 30 úloh$/);
    expect(screen.queryByText(/obvykle/)).toBeNull();
  });
});

describe("the keys of a card", () => {
  it("start nothing before a photo is chosen", async () => {
    const { requests } = serve({});
    const { user } = show(image());
    await user.keyboard("c1");
    expect(await screen.findByText("Nejprve přejděte na fotku klávesami j a k.")).toBeVisible();
    expect(requests).toEqual([]);
  });

  it("show that there is nothing to do as a message, not as an error", async () => {
    serve({
      "POST /api/v1/images/7/generate-coloring": () => ({
        status: 409,
        body: problem("nothing_to_do", "Everything is completed.", 409),
      }),
    });
    const { user } = show(image());
    screen.getByRole("article").focus();
    await user.keyboard("c");
    const message = await screen.findByText(/^Není co generovat/);
    expect(message.closest("li")).not.toHaveClass("bg-bad-soft");
  });
});

describe("the focus", () => {
  const work = { versions: { coloring: [page(1, { status: "runpod_queued", url: null })], svg: [] } };
  const lane = (): HTMLElement => screen.getByRole("group", { name: "Omalovánka" });

  it("stays in the lane when Cancel disappears because the work ended", async () => {
    const { queries } = show(image(work));
    screen.getByRole("button", { name: "Zrušit omalovánku v1" }).focus();
    queries.setQueryData(orderKey("1270"), order([image({ versions: { coloring: [page(1)], svg: [] } })]));
    await waitFor(() => expect(screen.queryByRole("button", { name: /^Zrušit/ })).toBeNull());
    expect(lane()).toHaveFocus();
  });

  it("stays on Cancel while only the step changes", async () => {
    const { queries } = show(image(work));
    screen.getByRole("button", { name: "Zrušit omalovánku v1" }).focus();
    const next = page(1, { status: "runpod_processing", url: null });
    queries.setQueryData(orderKey("1270"), order([image({ versions: { coloring: [next], svg: [] } })]));
    await screen.findByRole("progressbar", { name: /^Krok 7 z\s7$/ });
    expect(screen.getByRole("button", { name: "Zrušit omalovánku v1" })).toHaveFocus();
  });

  it("stays in the lane after Retry, and never lands on Cancel", async () => {
    serve({
      "POST /api/v1/coloring-versions/1/retry": () => ({
        status: 202,
        body: page(1, { status: "pending", url: null }),
      }),
    });
    const { user } = show(FAILED);
    screen.getByRole("button", { name: "Zkusit znovu omalovánku v1" }).focus();
    await user.keyboard("{Enter}");
    await screen.findByRole("button", { name: "Zrušit omalovánku v1" });
    expect(lane()).toHaveFocus();
  });

  it("is not taken back by a lane that the user left", async () => {
    const { queries, user } = show(image(work));
    screen.getByRole("button", { name: "Zrušit omalovánku v1" }).focus();
    await user.click(document.body);
    queries.setQueryData(orderKey("1270"), order([image({ versions: { coloring: [page(1)], svg: [] } })]));
    await waitFor(() => expect(screen.queryByRole("button", { name: /^Zrušit/ })).toBeNull());
    expect(lane()).not.toHaveFocus();
  });
});

describe("options of one image", () => {
  it("are sent while their form is open; otherwise the toolbar's are", async () => {
    const { requests } = serve({
      "POST /api/v1/images/7/generate-coloring": () => ({
        status: 202,
        body: page(3, { options: { megapixels: 4, steps: 4, background: "none" } }),
      }),
    });
    const { user } = show(TWO_PAGES);
    const toggle = screen.getByRole("button", { name: "Nastavení omalovánky fotky 1" });
    await user.click(toggle);
    const field = screen.getByRole("spinbutton", { name: "Megapixely" });
    expect(field).toHaveValue(2);
    await user.clear(field);
    expect(screen.getByRole("alert")).toHaveTextContent("Zadejte číslo od 0,5 do 8.");
    expect(screen.getByRole("button", { name: /Nová omalovánka/ })).toBeDisabled();
    await user.type(field, "4");
    await user.selectOptions(screen.getByRole("combobox", { name: "Pozadí" }), "žádné");
    await user.click(screen.getByRole("button", { name: /^Nová omalovánka 4\sMP \/ 4 · bez pozadí$/ }));
    expect(await within(pages()).findByText("4 MP / 4 · bez pozadí")).toBeVisible();
    const sent = '{"megapixels":4,"steps":4,"background":"none"}';
    expect(requests).toEqual([`POST /api/v1/images/7/generate-coloring ${sent}`]);
    await user.click(toggle);
    expect(screen.getByRole("button", { name: /Nová omalovánka 2 MP/ })).toBeEnabled();
  });
});

describe("generating another version", () => {
  it("sends the options and shows the new version before any event", async () => {
    const { requests } = serve({
      "POST /api/v1/images/7/generate-coloring": () => ({
        status: 202,
        body: page(3, { status: "pending", url: null, options: { megapixels: 2, steps: 4 } }),
      }),
    });
    const { user } = show(TWO_PAGES);
    await user.click(screen.getByRole("button", { name: /Nová omalovánka/ }));
    expect(await within(pages()).findByText("v3")).toBeVisible();
    expect(requests).toEqual(['POST /api/v1/images/7/generate-coloring {"megapixels":2,"steps":4}']);
  });

  it("shows why it failed", async () => {
    serve({
      "POST /api/v1/images/7/generate-svg": () => ({
        status: 503,
        body: problem("database_unavailable", "Databáze neodpovídá.", 503),
      }),
    });
    const { user } = show(TWO_PAGES);
    await user.click(screen.getByRole("button", { name: /Nové SVG/ }));
    expect(
      await screen.findByText("Databáze neodpovídá, nic se nezměnilo. Zkuste to za chvíli znovu."),
    ).toBeVisible();
  });
});

describe("the pictures", () => {
  it("are compared with a slider that has a text value", () => {
    show(TWO_PAGES);
    const slider = screen.getByRole("slider", { name: /^Porovnání fotky s\somalovánkou$/ });
    fireEvent.change(slider, { target: { value: "30" } });
    expect(slider).toHaveAttribute("aria-valuetext", "30\u00a0% fotky");
    expect(screen.getByAltText("Fotka 1").parentElement).toHaveStyle({ clipPath: "inset(0 70% 0 0)" });
  });

  it("falls back to the full file, shows an error if that is missing too, and recovers with a new URL", () => {
    const { queries } = show(image());
    fireEvent.error(screen.getByAltText("Fotka 1"));
    expect(screen.getByAltText("Fotka 1")).toHaveAttribute("src", "http://files/image_1.jpg");
    fireEvent.error(screen.getByAltText("Fotka 1"));
    expect(screen.getByRole("img", { name: /Obrázek se nepodařilo načíst/ })).toBeVisible();
    queries.setQueryData(orderKey("1270"), order([image({ url: "http://files/image_1b.jpg" })]));
    return waitFor(() =>
      expect(screen.getByAltText("Fotka 1")).toHaveAttribute(
        "src",
        expect.stringContaining("thumb_image_1b"),
      ),
    );
  });

  it("are one frame: the page as soon as there is one, the SVG and the photo by their tabs", async () => {
    const { user, onView, queries } = show(image());
    const tab = (name: string) => screen.getByRole("button", { name });
    expect(screen.getByAltText("Fotka 1")).toBeVisible();
    expect(tab("Omalovánka")).toBeDisabled();
    queries.setQueryData(orderKey("1270"), order([TWO_PAGES]));
    expect(await screen.findByAltText("Omalovánka v1")).toBeVisible();
    await user.click(tab("SVG"));
    expect(screen.getByAltText("SVG v11 · z omalovánky v1")).toBeVisible();
    expect(screen.queryByAltText("Omalovánka v1")).toBeNull();
    await user.click(tab("Fotka"));
    expect(screen.queryByRole("slider")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Zobrazit na celou obrazovku: Fotka 1" }));
    expect(onView).toHaveBeenCalledWith({ imageId: 7, view: "photo" });
    // Looking at a version shows it.
    await user.click(tile(2));
    expect(screen.getByAltText("Omalovánka v2 · kandidát")).toBeVisible();
  });

  it("show the photo under the mouse, and open full screen by a click but not by a drag", async () => {
    const { onView } = show(TWO_PAGES);
    const slider = screen.getByRole("slider");
    slider.getBoundingClientRect = () => new DOMRect(100, 0, 200, 150);
    const mouse = { pointerType: "mouse", clientX: 150 };
    fireEvent.pointerMove(slider, mouse);
    expect(slider).toHaveValue("25");
    fireEvent.pointerMove(slider, { pointerType: "touch", clientX: 280 });
    expect(slider).toHaveValue("25");
    fireEvent.pointerDown(slider, mouse);
    fireEvent.click(slider, { clientX: 250 });
    expect(onView).not.toHaveBeenCalled();
    fireEvent.pointerDown(slider, mouse);
    fireEvent.click(slider, { clientX: 151 });
    expect(onView).toHaveBeenCalledWith({ imageId: 7, view: "coloring" });
    fireEvent.pointerLeave(slider, mouse);
    await waitFor(() => expect(slider).toHaveValue("0"));
  });

  it("open full screen", async () => {
    const { user, onView } = show(TWO_PAGES);
    await user.click(screen.getByRole("button", { name: "Zobrazit na celou obrazovku: Omalovánka v1" }));
    expect(onView).toHaveBeenCalledWith({ imageId: 7, view: "coloring" });
  });
});
