import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { imagesOf } from "./cached-order";
import type { Kind, Order } from "./model";
import { chosenVersion } from "./versions";

const chosenCount = (order: Order, kind: Kind): number =>
  imagesOf(order).filter((image) => chosenVersion(image, kind)?.status === "completed").length;

/** Links to everything chosen at once: the pages as a ZIP and for printing, the SVGs as a ZIP. */
export function Downloads({ order }: { order: Order }) {
  const { t } = useLanguage();
  const base = `/api/v1/orders/${encodeURIComponent(order.order_number)}`;
  const pages = chosenCount(order, "coloring");
  const svgs = chosenCount(order, "svg");
  if (pages + svgs === 0) return null;
  return (
    <nav aria-label={t("detail.download")} className="flex flex-wrap gap-2">
      {pages > 0 && <FileLink href={`${base}/print`} text={t("detail.download.pdf")} count={pages} />}
      {pages > 0 && (
        <FileLink
          href={`${base}/download?what=coloring`}
          text={t("detail.download.coloring")}
          count={pages}
        />
      )}
      {svgs > 0 && (
        <FileLink href={`${base}/download?what=svg`} text={t("detail.download.svg")} count={svgs} />
      )}
    </nav>
  );
}

function FileLink({ href, text, count }: { href: string; text: string; count: number }) {
  return (
    <a href={href} download className="button button-small">
      <Icon name="download" />
      {text}
      <span className="font-normal text-mute tabular-nums">{count}</span>
    </a>
  );
}
