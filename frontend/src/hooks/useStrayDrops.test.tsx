import { act, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { Toasts } from "@/components/Toasts";
import { dismissAllToasts } from "@/lib/toasts";
import { useFileDrop } from "./useFileDrop";
import { useStrayDrops } from "./useStrayDrops";

afterEach(dismissAllToasts);

const dropped: File[][] = [];

function Shell({ isTaken }: { isTaken: boolean }) {
  return (
    <>
      {isTaken && <Taking />}
      <Guard />
      <Toasts />
    </>
  );
}

function Taking() {
  useFileDrop((files) => dropped.push(files));
  return null;
}

function Guard() {
  useStrayDrops();
  return null;
}

/** Drops a file on the window; returns whether the browser would open it. */
function drop(): boolean {
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const files = [new File(["x"], "a.jpg", { type: "image/jpeg" })];
  Object.assign(event, { dataTransfer: { types: ["Files"], files } });
  act(() => void dispatchEvent(event));
  return !event.defaultPrevented;
}

it("a file dropped on a page that takes none is not opened, and a message says where it can be dropped", () => {
  render(<Shell isTaken={false} />);
  expect(drop()).toBe(false);
  expect(screen.getByText(/^Zde fotky přidat nelze\./)).toBeVisible();
});

it("a file dropped on a page that takes it is only taken", () => {
  render(<Shell isTaken />);
  expect(drop()).toBe(false);
  expect(dropped).toHaveLength(1);
  expect(screen.queryByText(/^Zde fotky přidat nelze\./)).toBeNull();
});
