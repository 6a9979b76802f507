import { useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { Icon } from "@/components/Icon";
import { DropHint } from "@/components/list/DropHint";
import { ListSkeleton } from "@/components/list/ListSkeleton";
import { OrderTable } from "@/components/list/OrderTable";
import { SearchField } from "@/components/list/SearchField";
import { SelectionBar } from "@/components/list/SelectionBar";
import { StatusFilter } from "@/components/list/StatusFilter";
import { LoadFailure } from "@/components/LoadFailure";
import { Notice } from "@/components/Notice";
import { useBulkGenerate } from "@/hooks/useBulkGenerate";
import { useListFilter } from "@/hooks/useListFilter";
import { useNewOrder } from "@/hooks/useNewOrder";
import { useOrderListEvents } from "@/hooks/useOrderListEvents";
import { useSelection } from "@/hooks/useSelection";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";
import type { OrderFilter } from "@/lib/api";
import { orderListQuery } from "@/lib/orderList";
import { useShortcuts } from "@/lib/shortcuts";
import type { OrderListItem } from "@/types";

const NewOrderDialog = lazy(() => import("@/components/list/NewOrderDialog"));

/** The loaded orders for a filter, kept up to date, and the way to more of them. */
function useOrders(filter: OrderFilter) {
  const query = useInfiniteQuery(orderListQuery(filter));
  const { data, isFetchingNextPage, hasNextPage, isFetchNextPageError, fetchNextPage } = query;
  useOrderListEvents(filter, query.isSuccess);
  const orders = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  return { query, orders, loadMore };
}

interface Keys {
  orders: readonly OrderListItem[];
  focusSearch: () => void;
  onSelect: (orderNumber: string) => void;
}

/** The keys of the list; gives the row that they are on, -1 for none. */
function useListKeys({ orders, focusSearch, onSelect }: Keys): number {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const [current, setCurrent] = useState<string | null>(null);
  const index = orders.findIndex((order) => order.order_number === current);
  const move = (step: number) => {
    const next = Math.min(Math.max(index + step, 0), orders.length - 1);
    setCurrent(orders[next]?.order_number ?? null);
  };
  const open = () => current !== null && void navigate(`/orders/${encodeURIComponent(current)}`);
  useShortcuts([
    { key: "/", label: t("list.key.search"), run: focusSearch },
    { key: "j", label: t("list.key.next"), run: () => move(1) },
    { key: "k", label: t("list.key.previous"), run: () => move(-1) },
    { key: "Enter", label: t("list.key.open"), run: open },
    { key: "x", label: t("list.key.select"), run: () => current !== null && onSelect(current) },
  ]);
  return index;
}

function Nothing({
  filter,
  onClear,
  onNew,
}: {
  filter: OrderFilter;
  onClear: () => void;
  onNew: () => void;
}) {
  const { t } = useLanguage();
  if (filter.q || filter.status)
    return (
      <Notice icon="search" title={t("list.nothing.title")} text={t("list.nothing.text")}>
        <button type="button" className="button" onClick={onClear}>
          {t("list.nothing.clear")}
        </button>
      </Notice>
    );
  return (
    <Notice icon="photo" title={t("list.empty.title")} text={t("list.empty.text")}>
      <button type="button" className="button button-primary" onClick={onNew}>
        {t("upload.pick")}
      </button>
    </Notice>
  );
}

function More({ query }: { query: ReturnType<typeof useOrders>["query"] }) {
  const { t } = useLanguage();
  if (query.isFetchNextPageError)
    return (
      <div role="alert" className="flex items-center justify-center gap-3 py-5 text-bad">
        {t("list.moreFailed")}
        <button type="button" className="button button-small" onClick={() => void query.fetchNextPage()}>
          {t("action.retry")}
        </button>
      </div>
    );
  return <div className="h-16" />;
}

function PageHead({ onNew }: { onNew: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="flex items-center justify-between gap-4">
      <h1 className="text-[22px] font-semibold tracking-tight">{t("list.title")}</h1>
      <button type="button" className="button button-primary" onClick={onNew}>
        <Icon name="plus" />
        {t("list.new")}
      </button>
    </div>
  );
}

/** The list of orders. */
export function ListPage() {
  const { t } = useLanguage();
  useTitle(t("list.title"));
  const [filter, setFilter] = useListFilter();
  const { query, orders, loadMore } = useOrders(filter);
  const { selected, toggle, clear, set } = useSelection();
  const { busy, run } = useBulkGenerate();
  const newOrder = useNewOrder();
  const search = useRef<HTMLInputElement>(null);
  const current = useListKeys({ orders, focusSearch: () => search.current?.focus(), onSelect: toggle });
  const changeSearch = useCallback((q: string) => setFilter({ q }), [setFilter]);
  const selectAll = () =>
    selected.size === orders.length ? clear() : set(orders.map((order) => order.order_number));
  const generate = (kind: "coloring" | "svg") => void run(kind, [...selected]).then(clear);

  return (
    <>
      <PageHead onNew={newOrder.begin} />
      <div className="mt-4 mb-3 flex flex-wrap items-center gap-2.5">
        <SearchField value={filter.q} onChange={changeSearch} field={search} />
        <StatusFilter value={filter.status} onChange={(status) => setFilter({ status })} />
      </div>
      {query.isPending && <ListSkeleton />}
      {query.isError && orders.length === 0 && (
        <LoadFailure title={t("list.failed")} error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.isSuccess && orders.length === 0 && (
        <Nothing filter={filter} onClear={() => setFilter({ q: "", status: null })} onNew={newOrder.begin} />
      )}
      {orders.length > 0 && (
        <>
          <OrderTable
            key={`${filter.q} ${filter.status ?? ""}`}
            orders={orders}
            current={current}
            selected={selected}
            onSelect={toggle}
            onSelectAll={selectAll}
            onNearEnd={loadMore}
          />
          <More query={query} />
        </>
      )}
      {selected.size > 0 && (
        <SelectionBar
          count={selected.size}
          busy={busy}
          onColor={() => generate("coloring")}
          onVectorise={() => generate("svg")}
          onClear={clear}
        />
      )}
      {newOrder.photos && (
        <Suspense>
          <NewOrderDialog
            photos={newOrder.photos}
            onPhotos={newOrder.setPhotos}
            onAdd={newOrder.add}
            onClose={newOrder.close}
          />
        </Suspense>
      )}
      {newOrder.isOver && <DropHint />}
    </>
  );
}
