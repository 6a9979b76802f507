import { act, fireEvent, render, screen } from "@testing-library/react";
import { BrowserRouter, Link } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useScrollPosition } from "./useScrollPosition";

function Page() {
  useScrollPosition();
  return <Link to="/orders/1270">1270</Link>;
}

/** Shows an address with a new entry of the history, as the browser does for a link to a fragment of the page. */
function show(address: string): void {
  history.pushState(null, "", address);
  act(() => void dispatchEvent(new PopStateEvent("popstate", { state: null })));
}

beforeEach(() => {
  history.replaceState(null, "", "/");
  render(
    <BrowserRouter>
      <Page />
    </BrowserRouter>,
  );
  act(() => {
    window.scrollTo(0, 500);
    dispatchEvent(new Event("scroll"));
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  window.scrollTo(0, 0);
});

it("a link to a part of the page does not scroll it to the position of the first page", () => {
  fireEvent.click(screen.getByRole("link"));
  expect(scrollY).toBe(0);
  const scrollTo = vi.spyOn(window, "scrollTo");
  show("/orders/1270#item-4");
  expect(scrollTo).not.toHaveBeenCalled();
});

it("the first page gets its position back", () => {
  fireEvent.click(screen.getByRole("link"));
  expect(scrollY).toBe(0);
  show("/");
  expect(scrollY).toBe(500);
});
