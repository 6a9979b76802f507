import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { image, page } from "./test/orders";
import { Viewer, viewsOf, type Viewed } from "./Viewer";

const WITH_PAGE = image({
  id: 1,
  position: 1,
  selected_version_ids: { coloring: 5, svg: null },
  versions: { coloring: [page(5)], svg: [] },
});
const IMAGES = [WITH_PAGE, image({ id: 2, position: 2 })];

function Opened() {
  const [viewed, setViewed] = useState<Viewed | undefined>({ imageId: 1, view: "coloring" });
  return (
    <QueryClientProvider client={new QueryClient()}>
      <Viewer orderNumber="1270" images={IMAGES} viewed={viewed} onChange={setViewed} />
    </QueryClientProvider>
  );
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

  it("zooms by key, resets the zoom for another picture, and closes with Esc", async () => {
    const user = userEvent.setup();
    render(<Opened />);
    await user.keyboard("++");
    expect(screen.getByRole("button", { name: /Celý obrázek/ })).toHaveTextContent("196 %");
    await user.keyboard("{1}");
    await user.click(screen.getByRole("button", { name: "Fotka" }));
    expect(screen.getByRole("button", { name: /Celý obrázek/ })).toHaveTextContent("100 %");
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
  });
});
