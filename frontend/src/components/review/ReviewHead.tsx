import type { ReactNode } from "react";
import { Link } from "react-router";
import { ConnectionLight } from "@/components/ConnectionLight";
import { Icon, type IconName } from "@/components/Icon";
import { ShortcutHelp } from "@/components/ShortcutHelp";
import { useLanguage } from "@/i18n/context";

interface ReviewHeadProps {
  /** Number of pages that are left; more than that if the list has more orders. */
  left: number;
  hasMore: boolean;
  listPath: string;
  /** The order that is shown. */
  children?: ReactNode;
}

/** The line above the pictures: the way back, the order, and how much is left. */
export function ReviewHead({ left, hasMore, listPath, children }: ReviewHeadProps) {
  const { t } = useLanguage();
  const count = `${left}${hasMore ? "+" : ""}`;
  return (
    <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-x-3 px-2 py-1.5 sm:px-4">
      <Link
        to={listPath}
        className="icon-button shrink-0"
        aria-label={t("review.leave")}
        title={t("review.leave")}
      >
        <Icon name="close" />
      </Link>
      {children}
      <div className="ml-auto flex items-center gap-2">
        <strong
          data-left={left}
          aria-live="polite"
          className="text-[15px] font-semibold whitespace-nowrap tabular-nums"
        >
          {t("review.left", { count })}
        </strong>
        <ConnectionLight />
        <ShortcutHelp />
      </div>
    </header>
  );
}

interface OrderLineProps {
  orderNumber: string;
  customer: string | null | undefined;
  position: string;
  onTurn: (by: 1 | -1) => void;
  hasPrevious: boolean;
  hasNext: boolean;
}

/** Number and customer of the order, with the way to the orders before and after. */
export function OrderLine({ orderNumber, customer, position, onTurn, hasPrevious, hasNext }: OrderLineProps) {
  const { t } = useLanguage();
  return (
    <div className="flex min-w-0 items-center gap-1">
      <Turn
        icon="chevronLeft"
        label={t("review.previousOrder")}
        enabled={hasPrevious}
        act={() => onTurn(-1)}
      />
      <h1 className="min-w-0 truncate text-[15px] font-semibold tabular-nums">
        <Link to={`/orders/${encodeURIComponent(orderNumber)}`} className="hover:underline">
          {orderNumber}
        </Link>
        <span className="ml-2 font-normal text-mute max-sm:hidden">{customer}</span>
        <span className="ml-2 text-[13px] font-normal text-mute">{position}</span>
      </h1>
      <Turn icon="chevronRight" label={t("review.nextOrder")} enabled={hasNext} act={() => onTurn(1)} />
    </div>
  );
}

interface TurnProps {
  icon: IconName;
  label: string;
  enabled: boolean;
  act: () => void;
}

function Turn({ icon, label, enabled, act }: TurnProps) {
  return (
    <button
      type="button"
      className="icon-button shrink-0 disabled:opacity-30"
      aria-label={label}
      title={label}
      disabled={!enabled}
      onMouseDown={(event) => event.preventDefault()}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}
