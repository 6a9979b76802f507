import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/client";
import { fileProgress, refusedBy } from "./upload";

describe("fileProgress", () => {
  it.each([
    [0, [0, 0]],
    [50, [0.5, 0]],
    [100, [1, 0]],
    [250, [1, 0.5]],
    [400, [1, 1]],
    [999, [1, 1]],
  ])("distributes %i bytes among the files in order", (sent, shares) => {
    expect(fileProgress([100, 300], sent)).toEqual(shares);
  });

  it("does not divide by an empty file", () => {
    expect(fileProgress([0, 10], 5)).toEqual([1, 0.5]);
  });
});

describe("refusedBy", () => {
  it("returns the message of each file without the name that the tile shows", () => {
    const photos = [new File([], "empty.jpg"), new File(["x"], "page.jpg")];
    const errors = [
      { field: "photos[1]", code: "photo_empty", message: "empty.jpg: The file is empty." },
      { field: "photos[2]", code: "photo_not_an_image", message: "This is a web page." },
    ];
    const body = {
      type: "about:blank",
      title: "x",
      status: 422,
      detail: "x",
      code: "photos_refused",
      errors,
    };
    const found = refusedBy(photos, new ApiError(422, body, null));
    expect([...found.values()].map((failure) => failure.message)).toEqual([
      "The file is empty.",
      "This is a web page.",
    ]);
  });
});
