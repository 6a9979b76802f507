import { useQuery } from "@tanstack/react-query";
import { useLayoutEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { DropHint } from "@/components/list/DropHint";
import { LoadFailure } from "@/components/LoadFailure";
import { Notice } from "@/components/Notice";
import { AddLineItem } from "@/components/order/LineItems";
import { LineItemSection } from "@/components/order/LineItemSection";
import type { Order } from "@/components/order/model";
import { OrderBar } from "@/components/order/OrderBar";
import { OrderHead } from "@/components/order/OrderHead";
import { OrderSkeleton } from "@/components/order/OrderSkeleton";
import { useSheetSize } from "@/components/order/sheetSize";
import { SheetSizes } from "@/components/order/SheetSizes";
import { useCardKeys, type CardRegister } from "@/components/order/useCardKeys";
import { RunTimesContext } from "@/components/order/runTimes";
import { useOrderDrop } from "@/components/order/useOrderDrop";
import { useOrderRunTimes } from "@/components/order/useOrderRunTimes";
import { PhotoEditing } from "@/components/photo/PhotoEditing";
import { ForOperators } from "@/components/session/ForOperators";
import { Viewer } from "@/components/order/Viewer";
import type { Viewed } from "@/components/order/views";
import { useOptions } from "@/hooks/useOptions";
import { useOrderEvents } from "@/hooks/useOrderEvents";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";
import { isGone, orderQuery } from "@/lib/orderQuery";

/** One order, kept up to date by the hub. */
export function OrderDetail({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  useTitle(t("orderPage.title", { number: orderNumber }));
  const { data, error, refetch } = useQuery(orderQuery(orderNumber));
  // The order's response also sets the cookie for its topic.
  useOrderEvents(orderNumber, data !== undefined);
  if (isGone(error)) {
    return data ? <Deleted orderNumber={orderNumber} /> : <NotFound orderNumber={orderNumber} />;
  }
  if (data) return <Loaded order={data} />;
  if (error) {
    return (
      <LoadFailure heading="h1" title={t("detail.loadFailed")} error={error} onRetry={() => void refetch()} />
    );
  }
  return (
    <>
      <h1 className="sr-only">{t("orderPage.title", { number: orderNumber })}</h1>
      <OrderSkeleton />
    </>
  );
}

function NotFound({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  return (
    <Notice
      icon="search"
      heading="h1"
      title={t("detail.notFound", { number: orderNumber })}
      text={t("detail.notFound.text")}
    >
      <Link to="/" className="button">
        {t("missing.back")}
      </Link>
    </Notice>
  );
}

/** Replaces an order that was deleted while it was open. */
function Deleted({ orderNumber }: { orderNumber: string }) {
  const { t } = useLanguage();
  const back = useRef<HTMLAnchorElement>(null);
  // The element with the focus was removed with the order.
  useLayoutEffect(() => back.current?.focus(), []);
  return (
    <Notice
      alert
      heading="h1"
      icon="photo"
      title={t("detail.gone", { number: orderNumber })}
      text={t("detail.gone.text")}
    >
      <Link ref={back} to="/" className="button">
        {t("missing.back")}
      </Link>
    </Notice>
  );
}

function Loaded({ order }: { order: Order }) {
  const options = useOptions();
  const runTimes = useOrderRunTimes(order);
  const [viewed, setViewed] = useState<Viewed>();
  const [size, setSize] = useSheetSize();
  const [register] = useState<CardRegister>(() => new Map());
  useCardKeys(register);
  const isManual = order.source === "manual" && !order.cancelled_at;
  return (
    <PhotoEditing order={order}>
      <OrderHead order={order}>
        <SheetSizes size={size} onSize={setSize} />
      </OrderHead>
      <OrderBar order={order} options={options} />
      {order.line_items.length === 0 && <Empty />}
      <RunTimesContext value={runTimes}>
        {order.line_items.map((item) => (
          <LineItemSection
            key={item.id}
            orderNumber={order.order_number}
            item={item}
            isDeliverable={!order.cancelled_at}
            isRemovable={isManual && order.line_items.length > 1}
            options={options.toSend}
            size={size}
            register={register}
            onView={setViewed}
          />
        ))}
      </RunTimesContext>
      {isManual && (
        <ForOperators>
          <AddLineItem orderNumber={order.order_number} />
        </ForOperators>
      )}
      {!order.cancelled_at && <Drop order={order} />}
      <Viewer order={order} options={options.toSend} viewed={viewed} onChange={setViewed} />
    </PhotoEditing>
  );
}

/** Takes files that are dropped on the page; shows where they go. */
function Drop({ order }: { order: Order }) {
  const { t } = useLanguage();
  const item = useOrderDrop(order);
  return item && <DropHint text={t("uploads.drop", { title: item.title })} />;
}

function Empty() {
  const { t } = useLanguage();
  return <Notice icon="photo" title={t("detail.empty")} text={t("detail.empty.text")} />;
}
