import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { useLanguage } from "@/i18n/context";
import { fetchOrderRow, fetchOrders } from "@/lib/api";
import { Arrivals, NEEDS, type Arrival } from "@/lib/arrivals";
import { Coalescer } from "@/lib/coalescer";
import { hub } from "@/lib/hub";
import { notify } from "@/lib/notifications";
import { announceArrival, joinArrivals } from "@/lib/unseen";
import { useMercure } from "./useMercure";

const FETCH_DELAY_MS = 1000;
const EVERY_ORDER = "";
/** The newest orders of a stage; the API's largest page. */
const LIMIT = 200;

/** Fetches what changed, and passes on the orders that came to need a person. */
function watch(onArrival: (arrival: Arrival) => void): Coalescer<string> {
  const arrivals = new Arrivals();
  return new Coalescer<string>(async (number) => {
    if (number === EVERY_ORDER) {
      const pages = NEEDS.map((stage) => fetchOrders({ q: "", stage }, null, undefined, LIMIT));
      arrivals.replace(await Promise.all(pages)).forEach(onArrival);
    } else {
      const arrival = arrivals.note(number, await fetchOrderRow(number));
      if (arrival) onArrival(arrival);
    }
  }, FETCH_DELAY_MS);
}

/**
 * Counts orders that come to need a person, and shows a desktop notification if the user looks at no tab. The
 * tab that has the hub's stream does it for all tabs of the browser.
 */
export function useArrivals(): void {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const show = useRef<(arrival: Arrival) => void>(() => undefined);
  useEffect(() => {
    show.current = ({ orderNumber, customerName, need }) =>
      notify({
        title: t(`arrival.${need}`, { number: orderNumber }),
        body: customerName ?? "",
        tag: `${orderNumber}/${need}`,
        onOpen: () => void navigate(`/orders/${encodeURIComponent(orderNumber)}`),
      });
  }, [t, navigate]);
  const fetches = useRef<Coalescer<string> | null>(null);
  useEffect(() => {
    const leave = joinArrivals();
    const watching = watch((arrival) => {
      void announceArrival(arrival).then((isUnseen) => isUnseen && show.current(arrival));
    });
    fetches.current = watching;
    return () => {
      fetches.current = null;
      watching.stop();
      leave();
    };
  }, []);
  useMercure({
    onOpen: () => hub.isLeader && fetches.current?.schedule(EVERY_ORDER),
    onEvent: (event) => {
      if (hub.isLeader && event.type === "order_update" && event.order_number)
        fetches.current?.schedule(event.order_number);
    },
  });
}
