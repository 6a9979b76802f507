import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { OrderImage } from "./model";
import { serve } from "./test/api";
import { image, order, page } from "./test/orders";
import { OPTIONS } from "./test/showCard";
import { Viewer } from "./Viewer";
import { viewsOf, type Viewed } from "./views";

const WITH_PAGE = image({
  id: 1,
  position: 1,
  selected_version_ids: { coloring: 5, svg: null },
  versions: { coloring: [page(5)], svg: [] },
});
const IMAGES = [WITH_PAGE, image({ id: 2, position: 2 })];

const TWO = image({
  id: 1,
  position: 1,
  selected_version_ids: { coloring: 5, svg: null },
  versions: { coloring: [page(5), page(6)], svg: [] },
});

function Opened({ images = IMAGES }: { images?: OrderImage[] }) {
  const [viewed, setViewed] = useState<Viewed | undefined>({ imageId: 1, view: "coloring" });
  return (
    <QueryClientProvider client={new QueryClient()}>
      <Viewer order={order(images)} options={OPTIONS} viewed={viewed} onChange={setViewed} />
    </QueryClientProvider>
  );
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Records what is observed; `resize` gives all elements this size, and reports it for those in the document. */
function watchSizes() {
  const reports = new Map<Element, () => void>();
  class Observer {
    readonly #report: () => void;
    constructor(report: () => void) {
      this.#report = report;
    }
    observe = (element: Element) => reports.set(element, this.#report);
    disconnect = () => undefined;
  }
  vi.stubGlobal("ResizeObserver", Observer);
  return {
    resize: (width: number, height: number) => {
      vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue(new DOMRect(0, 0, width, height));
      act(() => reports.forEach((report, element) => element.isConnected && report()));
    },
  };
}

describe("the full-screen view", () => {
  it("offers only available views", () => {
    expect(IMAGES.map(viewsOf)).toEqual([["photo", "coloring", "compare"], ["photo"]]);
    const lost = { ...WITH_PAGE, error: { code: "photo_missing", message: "" } };
    expect(viewsOf(lost)).toEqual(["coloring"]);
  });

  it("navigates with the arrow keys, stops at the ends, and shows the photo if there is no page", async () => {
    const user = userEvent.setup();
    render(<Opened />);
    expect(screen.getByAltText("Omalovánka v5")).toBeVisible();
    await user.keyboard("{ArrowRight}{ArrowRight}");
    expect(screen.getByRole("heading")).toHaveTextContent("2 / 2");
    expect(screen.getByAltText("Fotka 2")).toBeVisible();
    expect(screen.getByRole("button", { name: "Další fotka" })).toBeDisabled();
    await user.keyboard("{ArrowLeft}");
    expect(screen.getByAltText("Omalovánka v5")).toBeVisible();
  });

  it("keeps the keys of its views when there is no SVG", async () => {
    const user = userEvent.setup();
    render(<Opened />);
    expect(screen.getByRole("button", { name: "SVG" })).toBeDisabled();
    await user.keyboard("{3}");
    expect(screen.getByRole("button", { name: "Omalovánka" })).toHaveAttribute("aria-pressed", "true");
    await user.keyboard("{4}");
    expect(screen.getByRole("button", { name: "Porovnat" })).toHaveAttribute("aria-pressed", "true");
  });

  it("counts the zoom in pixels of the picture, and toggles to its own size and back", async () => {
    const user = userEvent.setup();
    render(<Opened />);
    const picture = screen.getByAltText("Omalovánka v5");
    Object.defineProperties(picture, { naturalWidth: { value: 4096 }, naturalHeight: { value: 3072 } });
    const tool = screen.getByRole("button", { name: /Skutečná velikost/ });
    expect(tool).toHaveTextContent("–");
    fireEvent.load(picture);
    // The frame is 1024 by 768.
    expect(tool).toHaveTextContent("25 %");
    await user.keyboard("z");
    expect(tool).toHaveTextContent("100 %");
    await user.keyboard("0");
    expect(tool).toHaveTextContent("25 %");
  });

  it("follows the size of the window, also after it turned to another photo", async () => {
    const window = watchSizes();
    const user = userEvent.setup();
    render(<Opened />);
    await user.keyboard("{ArrowRight}");
    const picture = screen.getByAltText("Fotka 2");
    Object.defineProperties(picture, { naturalWidth: { value: 4096 }, naturalHeight: { value: 3072 } });
    fireEvent.load(picture);
    const tool = screen.getByRole("button", { name: /Skutečná velikost/ });
    expect(tool).toHaveTextContent("25 %");
    window.resize(2048, 1536);
    expect(tool).toHaveTextContent("50 %");
  });

  it("lays nothing white behind a picture before it is loaded", () => {
    render(<Opened />);
    const sheet = screen.getByAltText("Omalovánka v5").closest("[data-sheet]");
    expect(sheet).not.toHaveClass("bg-white");
    expect(screen.getByAltText("Omalovánka v5")).not.toHaveClass("bg-white");
  });

  it("zooms with Ctrl and the wheel instead of zooming the page", () => {
    render(<Opened />);
    const wheel = new WheelEvent("wheel", { deltaY: -20, bubbles: true, cancelable: true });
    Object.defineProperty(wheel, "ctrlKey", { value: true });
    act(() => void screen.getByAltText("Omalovánka v5").dispatchEvent(wheel));
    expect(wheel.defaultPrevented).toBe(true);
    expect(screen.getByRole("button", { name: /Celý obrázek/ })).toHaveAttribute("data-zoom", "1.22");
  });

  it("zooms by key, resets the zoom for another picture, and closes with Esc", async () => {
    const user = userEvent.setup();
    render(<Opened />);
    await user.keyboard("++");
    expect(screen.getByRole("button", { name: /Celý obrázek/ })).toHaveAttribute("data-zoom", "1.96");
    await user.keyboard("{1}");
    await user.click(screen.getByRole("button", { name: "Fotka" }));
    expect(screen.getByRole("button", { name: /Skutečná velikost/ })).toHaveAttribute("data-zoom", "1.00");
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("has a filmstrip", async () => {
    const user = userEvent.setup();
    render(<Opened />);
    const strip = within(screen.getByRole("navigation", { name: "Fotky objednávky" }));
    const [first, second] = strip.getAllByRole("button");
    if (!first || !second) throw new Error("the filmstrip is not whole");
    expect(first).toHaveAttribute("aria-current", "true");
    await user.click(second);
    expect(screen.getByAltText("Fotka 2")).toBeVisible();
    expect(second).toHaveAttribute("aria-current", "true");
  });

  it("looks at another version, which chooses nothing, and then chooses, approves and generates", async () => {
    const { requests } = serve({
      "POST /api/v1/images/1/select-coloring/6": () => ({ status: 200, body: { status: "ok", message: "" } }),
      "POST /api/v1/images/1/approve": () => ({ status: 200, body: TWO }),
      "POST /api/v1/images/1/generate-coloring": () => ({
        status: 202,
        body: page(7, { status: "pending", url: null }),
      }),
    });
    const user = userEvent.setup();
    render(<Opened images={[TWO]} />);
    await user.click(screen.getByRole("button", { name: /^v6/ }));
    expect(screen.getByAltText("Omalovánka v6")).toBeVisible();
    expect(requests).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Vybrat v6" }));
    await waitFor(() => expect(requests).toEqual(["POST /api/v1/images/1/select-coloring/6"]));
    await user.keyboard("a");
    await waitFor(() => expect(requests.at(-1)).toMatch(/^POST \/api\/v1\/images\/1\/approve/));
    await user.keyboard("c");
    await waitFor(() => expect(requests.at(-1)).toMatch(/^POST \/api\/v1\/images\/1\/generate-coloring/));
  });
});
