import { act, renderHook } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { dismissAllToasts, showToast, useToasts } from "./toasts";

afterEach(() => act(dismissAllToasts));

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`);

it("only the last messages are shown, but those with an action stay until they are closed", () => {
  const { result } = renderHook(useToasts);
  act(() => {
    showToast("PDF", "plain", { text: "Download", run: () => undefined });
    for (const text of numbered(6)) showToast(text, "bad");
  });
  expect(result.current.map(({ text }) => text)).toEqual(["PDF", "3", "4", "5", "6"]);
  act(() => showToast("ZIP", "plain", { text: "Download", run: () => undefined }));
  expect(result.current.map(({ text }) => text)).toEqual(["PDF", "4", "5", "6", "ZIP"]);
});
