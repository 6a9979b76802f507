import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { WithSession } from "@/test/viewer";
import { Thumbnails } from "./list/Thumbnails";
import { Picture } from "./order/Picture";

const URL = "/static/images/1/1/image_1.jpg";

it("checks the session when a picture fails, and reloads the picture after a sign-in", () => {
  const check = vi.fn();
  const page = (signInCount: number) => (
    <WithSession changes={{ signInCount, check }}>
      <Picture src={URL} alt="Fotka 1" />
    </WithSession>
  );
  const { rerender } = render(page(0));
  fireEvent.error(screen.getByAltText("Fotka 1"));
  expect(check).toHaveBeenCalledOnce();
  expect(screen.getByRole("img")).toHaveAccessibleName(/^Fotka 1: /);
  rerender(page(0));
  expect(screen.queryByAltText("Fotka 1")).toBeNull();
  rerender(page(1));
  expect(screen.getByAltText("Fotka 1")).toHaveAttribute("src", URL);
});

it("does the same for each thumbnail of the list", () => {
  const check = vi.fn();
  const list = (signInCount: number) => (
    <WithSession changes={{ signInCount, check }}>
      <Thumbnails urls={[URL, "/static/other.jpg"]} count={2} />
    </WithSession>
  );
  const { container, rerender } = render(list(0));
  const shown = () => [...container.querySelectorAll("img")].map((one) => one.getAttribute("src"));
  const [first] = container.querySelectorAll("img");
  if (!first) throw new Error("no thumbnail is shown");
  fireEvent.error(first);
  expect(check).toHaveBeenCalledOnce();
  expect(shown()).toEqual(["/static/other.jpg"]);
  rerender(list(1));
  expect(shown()).toEqual([URL, "/static/other.jpg"]);
});
