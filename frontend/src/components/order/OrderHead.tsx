import { useId, useState, type ReactNode } from "react";
import { Link } from "react-router";
import { HistoryButton } from "@/components/history/HistoryButton";
import { OrderAtShop } from "@/components/shop/OrderAtShop";
import { UnreadSign } from "@/components/shop/UnreadSign";
import { ForOperators } from "@/components/session/ForOperators";
import { Icon } from "@/components/Icon";
import { PaymentBadge } from "@/components/PaymentBadge";
import { ShopBadge } from "@/components/ShopBadge";
import { ReasonDialog } from "@/components/ReasonDialog";
import { StageBadge } from "@/components/StageBadge";
import { backToList } from "@/hooks/useScrollPosition";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { formatDayAndTime } from "@/lib/dates";
import { BookButton } from "./BookButton";
import { isDeliverable } from "./cached-order";
import { DeleteOrder } from "./DeleteOrder";
import { ExportMenu } from "./ExportMenu";
import { useOrderNotes } from "./NextAction";
import type { LineItem, Order } from "./model";

/**
 * The order's payment, delivery and notes, and what can be done with the whole; `children` end the facts.
 *
 * On a phone, facts and actions are behind a button: they would push the pages off the screen.
 */
export function OrderHead({ order, children }: { order: Order; children: ReactNode }) {
  const { t, language } = useLanguage();
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <header>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 max-md:-mt-2">
        <Link
          {...backToList()}
          className="py-1 text-[13px] text-mute hover:text-ink max-md:-my-1 max-md:px-2 max-md:py-2 md:-mb-1 md:w-full"
        >
          ←<span className="max-md:sr-only"> {t("nav.orders")}</span>
        </Link>
        <h1 className="text-[22px] font-semibold tracking-tight max-md:-ml-2">{order.order_number}</h1>
        <StageBadge stage={order.stage} />
        {order.cancelled_at && <ShopBadge what="cancelled" />}
        {order.payment_status !== null && <PaymentBadge status={order.payment_status} />}
        <UnreadSign fields={order.unread_fields} />
        <button
          type="button"
          className="icon-button ml-auto md:hidden"
          aria-label={t("detail.more")}
          aria-expanded={isOpen}
          aria-controls={`${id}-actions ${id}-facts`}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="more" />
        </button>
        <div
          id={`${id}-actions`}
          className={cn("flex flex-wrap gap-2 max-md:w-full md:ml-auto", !isOpen && "max-md:hidden")}
        >
          <OrderAtShop order={order} />
          <HistoryButton key={order.order_number} orderNumber={order.order_number} />
          {isDeliverable(order) && (
            <>
              <BookButton order={order} />
              <ExportMenu order={order} />
            </>
          )}
          <ForOperators>
            {order.stage !== "cancelled" && !order.on_hold_reason && (
              <Hold orderNumber={order.order_number} />
            )}
            <DeleteOrder orderNumber={order.order_number} />
          </ForOperators>
        </div>
      </div>
      {order.cancelled_at && <p className="mt-1.5 text-[13px] text-mute">{t("shop.cancelled.hint")}</p>}
      <StageNotes order={order} />
      <div
        id={`${id}-facts`}
        className={cn(
          "mt-2 flex flex-wrap items-center justify-between gap-x-6 gap-y-2",
          !isOpen && "max-md:hidden",
        )}
      >
        <dl className="flex min-w-0 flex-wrap gap-x-6 gap-y-1">
          <Fact name={t("detail.email")} value={order.customer_email} />
          <Fact name={t("detail.delivery")} value={order.shipping_method} />
          <Fact name={t("history.assignee")} value={order.assignee ?? null} />
          <Fact name={t("stage.note")} value={order.note ?? null} />
          <Fact name={t("detail.created")} value={formatDayAndTime(order.created_at, language)} />
        </dl>
        {children}
      </div>
      {order.line_items.length > 1 && <ItemLinks items={order.line_items} />}
    </header>
  );
}

/** Why the order is on hold, and what needs attention. */
function StageNotes({ order }: { order: Order }) {
  const { t } = useLanguage();
  return (
    <>
      {order.on_hold_reason && (
        <p className="mt-1.5 text-[13px]">{t("stage.hold.because", { reason: order.on_hold_reason })}</p>
      )}
      {(order.shop_changed_fields ?? []).length > 0 && (
        <p className="mt-1.5 text-[13px] text-bad">{t("history.shopChanged")}</p>
      )}
      {order.attention?.map((reason) => (
        <p key={reason} className="mt-1.5 text-[13px] text-bad">
          {t(`stage.attention.${reason}`)}
        </p>
      ))}
    </>
  );
}

/** Puts the order aside for a reason. */
function Hold({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  const note = useOrderNotes(orderNumber);
  return (
    <ReasonDialog
      label={t("stage.hold")}
      title={t("stage.hold.title", { number: orderNumber })}
      text={t("stage.hold.text")}
      field={t("stage.hold.reason")}
      onReason={(reason) => note({ on_hold_reason: reason })}
    />
  );
}

/** Links to the order's books; none if there is only one. */
function ItemLinks({ items }: { items: LineItem[] }) {
  const { t } = useLanguage();
  return (
    <nav aria-label={t("detail.items")} className="mt-2 flex flex-wrap gap-x-4 gap-y-1">
      {items.map((item, index) => (
        <a
          key={item.id}
          href={`#item-${item.id}`}
          className="underline decoration-line underline-offset-4 hover:decoration-ink"
        >
          {t("detail.item", { place: index + 1 })}
          {item.dedication && <span className="text-mute"> ({item.dedication})</span>}
        </a>
      ))}
    </nav>
  );
}

function Fact({ name, value }: { name: string; value: string | null }) {
  if (value === null || value === "") return null;
  return (
    <div className="flex min-w-0 gap-1.5">
      <dt className="text-mute">{name}</dt>
      <dd className="min-w-0 font-medium break-words">{value}</dd>
    </div>
  );
}
