import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { LanguageProvider } from "@/i18n/LanguageProvider";
import { PhotoTile } from "./PhotoTile";

beforeEach(() => {
  vi.stubGlobal(
    "URL",
    Object.assign(URL, { createObjectURL: () => "blob:1", revokeObjectURL: () => undefined }),
  );
});

it("shows the name of a file that the browser cannot decode instead of a broken picture", () => {
  render(
    <LanguageProvider>
      <ul>
        <PhotoTile photo={new File(["x"], "IMG_0001.HEIC")} progress={null} />
      </ul>
    </LanguageProvider>,
  );
  fireEvent.error(screen.getByRole("img"));
  expect(screen.queryByRole("img")).toBeNull();
  expect(screen.getByText("IMG_0001.HEIC")).toBeVisible();
});
