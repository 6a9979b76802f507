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

/** Downloads of all chosen versions: pages as a PDF and as a ZIP, SVGs, and the photos. */
export function Downloads({ order }: { order: Order }) {
  const { t } = useLanguage();
  const pages = chosenCount(order, "coloring");
  const counts: [What, number][] = [
    ["print", pages],
    ["coloring", pages],
    ["svg", chosenCount(order, "svg")],
    ["photos", deliverableImagesOf(order).filter((image) => photoOf(image) !== null).length],
  ];
  return (
    <div role="group" aria-label={t("detail.download")} className="flex flex-wrap gap-2">
      {counts.map(([what, count]) => (
        <DownloadButton key={what} orderNumber={order.order_number} what={what} count={count} />
      ))}
    </div>
  );
}

interface DownloadButtonProps {
  orderNumber: string;
  what: What;
  count: number;
}

/** Enabled even if no version is chosen: a click then explains what to do first. */
function DownloadButton({ orderNumber, what, count }: DownloadButtonProps) {
  const { t } = useLanguage();
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    await download(orderNumber, what).catch((error: unknown) => showToast(failureSentence(error, t), "bad"));
    setBusy(false);
  };
  return (
    <button
      type="button"
      className="button button-small aria-disabled:opacity-60"
      aria-disabled={busy}
      aria-busy={busy}
      onClick={() => void start()}
    >
      <span className={busy ? "animate-breathe" : ""}>
        <Icon name="download" />
      </span>
      {t(`detail.download.${what}`)}
      <span className="font-normal text-mute tabular-nums">{count}</span>
      {busy && <span className="sr-only">{t("detail.downloading")}</span>}
    </button>
  );
}
