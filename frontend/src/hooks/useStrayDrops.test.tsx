import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Toasts } from "@/components/Toasts";
import { dismissAllToasts } from "@/lib/toasts";
import { useFileDrop } from "./useFileDrop";
import { useStrayDrops } from "./useStrayDrops";

afterEach(dismissAllToasts);

let dropped: File[][] = [];
beforeEach(() => (dropped = []));

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

const transfer = () => ({
  types: ["Files"],
  files: [new File(["x"], "a.jpg", { type: "image/jpeg" })],
  dropEffect: "copy",
});

/** Dispatches an event of a drag on the page; returns whether its default was prevented. */
function send(kind: "dragover" | "drop", dataTransfer: ReturnType<typeof transfer>): boolean {
  const event = new Event(kind, { bubbles: true, cancelable: true });
  Object.assign(event, { dataTransfer });
  act(() => void document.body.dispatchEvent(event));
  return event.defaultPrevented;
}

/** Drops a file on the page; returns whether the browser would open it. */
const drop = (): boolean => !send("drop", transfer());

/** Drags a file over the page; returns the effect that a drop would have: with "none" the browser sends no drop. */
function dragOver(): string {
  const dragged = transfer();
  expect(send("dragover", dragged)).toBe(true);
  return dragged.dropEffect;
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

it("a page that takes files gets them also if it was opened after one that takes none", () => {
  const shown = render(<Shell isTaken={false} />);
  expect(dragOver()).toBe("none");
  shown.rerender(<Shell isTaken />);
  expect(dragOver()).toBe("copy");
  expect(drop()).toBe(false);
  expect(dropped).toHaveLength(1);
  expect(screen.queryByText(/^Zde fotky přidat nelze\./)).toBeNull();
});
