import { describe, expect, it } from "vitest";
import { translate } from "@/i18n/translate";
import type { HistoryEntry } from "@/lib/historyApi";
import { actionText, actorText, detailLines, runsOf } from "./entries";

const t = (...[key, values]: Parameters<typeof translate> extends [unknown, ...infer Rest] ? Rest : never) =>
  translate("en", key, values);

function entry(action: string, minute: number, more: Partial<HistoryEntry> = {}): HistoryEntry {
  const at = `2026-11-29T10:${String(minute).padStart(2, "0")}:00Z`;
  const actor = { kind: "user" as const, name: "Jana" };
  return { source: "order", id: minute, at, actor, action, ...more };
}

describe("entries of the history", () => {
  it("are one line for a run of the same action by the same person", () => {
    const runs = runsOf([
      entry("approved", 9, { position: 3 }),
      entry("approved", 8, { position: 1 }),
      entry("approved", 7, { position: 3 }),
      entry("approved", 6, { actor: { kind: "user", name: "Eva" }, position: 2 }),
      entry("note", 5, { details: { text: "x" } }),
      entry("note", 4, { details: { text: "x" } }),
    ]);
    expect(runs.map(({ count, positions }) => [count, positions])).toEqual([
      [3, [1, 3]],
      [1, [2]],
      [1, []],
      [1, []],
    ]);
  });

  it("stay apart if they say something else, or are far apart", () => {
    const reasons = ["a", "b"].map((reason, at) => entry("sent_back", 9 - at, { details: { reason } }));
    expect(runsOf(reasons)).toHaveLength(2);
    expect(runsOf([entry("approved", 30), entry("approved", 10)])).toHaveLength(2);
  });

  it("say who did what", () => {
    const failed = entry("coloring_failed", 1, {
      actor: { kind: "system" },
      details: { version: 2, error_code: "provider_failed" },
    });
    expect([actorText(failed, t), actionText(failed, t), detailLines(failed, t)]).toEqual([
      "Background processing",
      "Page v2 failed",
      ["provider_failed"],
    ]);
    const changed = entry("order_changed", 2, {
      actor: { kind: "shop", name: "orders/paid" },
      details: { fields: { payment_status: { from: null, to: "paid" }, unknown: { from: "1", to: null } } },
    });
    expect([actorText(changed, t), ...detailLines(changed, t)]).toEqual([
      "Shop (orders/paid)",
      "Payment: empty → paid",
      "unknown: 1 → empty",
    ]);
    expect(actionText(entry("assigned", 3, { details: { from: "Eva", to: null } }), t)).toBe(
      "Assigned to: Not assigned",
    );
    expect(actionText(entry("invented_later", 4), t)).toBe("invented_later");
  });
});
