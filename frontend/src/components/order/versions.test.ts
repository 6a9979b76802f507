import { describe, expect, it } from "vitest";
import { imagesOf, selectionAfter, withSelection, withVersion } from "./cached-order";
import { image, order, page, svg } from "./test/orders";
import { hasFailed, obstacleTo, pageToVectorise, photoOf, versionsToMention } from "./versions";

const failed = { status: "error", url: null, error: { code: "provider_failed", message: "Došel kredit." } };

describe("versionsToMention", () => {
  it("returns versions in progress and failures since the last success only", () => {
    const versions = [
      page(1, failed),
      page(2),
      page(3, failed),
      page(4, { status: "runpod_queued", url: null }),
    ];
    expect(versionsToMention(versions, null).map(({ id }) => id)).toEqual([3, 4]);
  });

  it("returns an older failure once it is opened", () => {
    expect(versionsToMention([page(1, failed), page(2)], null, 1).map(({ id }) => id)).toEqual([1]);
  });

  it("returns the chosen version whose file was lost, even if newer versions exist", () => {
    expect(versionsToMention([page(1, failed), page(2)], 1).map(({ id }) => id)).toEqual([1]);
  });
});

describe("what can be generated", () => {
  it("needs the photo for a page", () => {
    expect(obstacleTo(image({ url: null }), "coloring")).toBe("photo_missing");
    expect(obstacleTo(image(), "coloring")).toBeUndefined();
    const lost = image({ error: { code: "photo_missing", message: "" } });
    expect(obstacleTo(lost, "coloring")).toBe("photo_lost");
    expect(photoOf(lost)).toBeNull();
    // The new photo could not be fetched; the stored one exists.
    expect(photoOf(image({ error: { code: "photo_gone", message: "" } }))).toBe(image().url);
  });

  it("needs a completed page for an SVG, and reports one in progress", () => {
    expect(obstacleTo(image(), "svg")).toBe("page_missing");
    const working = image({ versions: { coloring: [page(1, { status: "queued" })], svg: [] } });
    expect(obstacleTo(working, "svg")).toBe("page_in_progress");
  });

  it("vectorises the chosen page, or else the newest completed one", () => {
    const versions = { coloring: [page(1), page(2), page(3, failed)], svg: [] };
    expect(pageToVectorise(image({ versions }))?.id).toBe(2);
    const chosen = image({ versions, selected_version_ids: { coloring: 1, svg: null } });
    expect(pageToVectorise(chosen)?.id).toBe(1);
  });

  it("does not count a cancelled version as a failure", () => {
    const cancelled = page(1, { status: "error", error: { code: "cancelled", message: "" } });
    expect(hasFailed(image({ versions: { coloring: [cancelled], svg: [] } }), "coloring")).toBe(false);
    expect(hasFailed(image({ versions: { coloring: [page(1, failed)], svg: [] } }), "coloring")).toBe(true);
  });

  it("counts a lost chosen page as a failure, even if a newer one exists", () => {
    const versions = { coloring: [page(1, failed), page(2)], svg: [] };
    const chosen = (id: number) => image({ versions, selected_version_ids: { coloring: id, svg: null } });
    expect([1, 2].map((id) => hasFailed(chosen(id), "coloring"))).toEqual([true, false]);
  });
});

describe("selectionAfter", () => {
  const versions = { coloring: [page(1), page(2)], svg: [svg(11, 1), svg(12, 1), svg(13, 2, failed)] };

  it("selects an SVG's page with it", () => {
    const chosen = image({ versions, selected_version_ids: { coloring: 2, svg: null } });
    expect(selectionAfter(chosen, "svg", 11)).toEqual({ coloring: 1, svg: 11 });
  });

  it("never keeps the SVG of another page", () => {
    const chosen = image({ versions, selected_version_ids: { coloring: 1, svg: 11 } });
    expect(selectionAfter(chosen, "coloring", 2)).toEqual({ coloring: 2, svg: null });
  });

  it("selects the newest completed SVG of the chosen page", () => {
    const chosen = image({ versions, selected_version_ids: { coloring: 2, svg: null } });
    expect(selectionAfter(chosen, "coloring", 1)).toEqual({ coloring: 1, svg: 12 });
  });

  it("keeps a manually chosen SVG when its page is chosen again", () => {
    const chosen = image({ versions, selected_version_ids: { coloring: 1, svg: 11 } });
    expect(selectionAfter(chosen, "coloring", 1)).toEqual({ coloring: 1, svg: 11 });
  });
});

describe("the cached order", () => {
  it("changes one image and keeps the identity of the others", () => {
    const other = image({ id: 8 });
    const after = withSelection(order([image(), other]), 7, { coloring: 5, svg: null });
    expect(imagesOf(after)[0]?.selected_version_ids.coloring).toBe(5);
    expect(imagesOf(after)[1]).toBe(other);
  });

  it("appends a new version, and keeps a cached one that an event has updated", () => {
    const queued = page(1, { status: "queued", url: null });
    const before = order([image()]);
    const added = withVersion(before, 7, "coloring", queued, () => false);
    expect(imagesOf(added)[0]?.versions.coloring).toEqual([queued]);
    const further = order([image({ versions: { coloring: [page(1, { status: "processing" })], svg: [] } })]);
    const kept = withVersion(further, 7, "coloring", queued, (known) => known.status === "error");
    expect(imagesOf(kept)[0]?.versions.coloring[0]?.status).toBe("processing");
  });
});
