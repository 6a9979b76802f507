import * as Menu from "@radix-ui/react-dropdown-menu";
import { useState } from "react";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";
import { deliverableImagesOf } from "./cached-order";
import { download, type What } from "./download";
import type { Kind, Order } from "./model";
import { chosenVersion, photoOf } from "./versions";

const chosenCount = (order: Order, kind: Kind): number =>
  deliverableImagesOf(order).filter((image) => chosenVersion(image, kind)?.status === "completed").length;

/** The files of an order to download: pages as a PDF and as a ZIP, SVGs, and the photos, each with its number. */
function counts(order: Order): [What, number][] {
  const pages = chosenCount(order, "coloring");
  return [
    ["print", pages],
    ["coloring", pages],
    ["svg", chosenCount(order, "svg")],
    ["photos", deliverableImagesOf(order).filter((image) => photoOf(image) !== null).length],
  ];
}

/** Downloads of an order. Each is enabled even if no version is chosen: it then explains what to do first. */
export function ExportMenu({ order }: { order: Order }) {
  const { t } = useLanguage();
  const [busy, setBusy] = useState(false);
  const start = async (what: What): Promise<void> => {
    if (busy) return;
    setBusy(true);
    await download(order.order_number, what).catch((error: unknown) =>
      showToast(failureSentence(error, t), "bad"),
    );
    setBusy(false);
  };
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger
        className="button button-small aria-disabled:opacity-60"
        aria-disabled={busy}
        aria-busy={busy}
      >
        <span className={busy ? "animate-breathe" : ""}>
          <Icon name="download" />
        </span>
        {t("detail.export")}
        <Icon name="chevronDown" className="size-3.5" />
        {busy && <span className="sr-only">{t("detail.downloading")}</span>}
      </Menu.Trigger>
      {/* Inside the page, not in a portal: all content belongs to a landmark. */}
      <Menu.Content
        align="end"
        sideOffset={6}
        collisionPadding={12}
        className="z-30 min-w-52 rounded-xl border border-line bg-card p-1 shadow-float"
      >
        {counts(order).map(([what, count]) => (
          <Menu.Item
            key={what}
            disabled={busy}
            onSelect={() => void start(what)}
            className="flex cursor-pointer items-center justify-between gap-6 rounded-[8px] px-3 py-2 outline-none data-disabled:opacity-60 data-highlighted:bg-soft"
          >
            {t(`detail.download.${what}`)}
            <span className="text-mute tabular-nums">{count}</span>
          </Menu.Item>
        ))}
      </Menu.Content>
    </Menu.Root>
  );
}
