import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useRef } from "react";
import { Link } from "react-router";
import { Icon } from "@/components/Icon";
import { DropHint } from "@/components/list/DropHint";
import { ListSkeleton } from "@/components/list/ListSkeleton";
import { EmptyList } from "@/components/list/EmptyList";
import { OrderTable } from "@/components/list/OrderTable";
import { SearchField } from "@/components/list/SearchField";
import { SelectionBar } from "@/components/list/SelectionBar";
import { StageFilter } from "@/components/list/StageFilter";
import { LoadFailure } from "@/components/LoadFailure";
import { ForOperators } from "@/components/session/ForOperators";
import { FetchFromShop, useShopConfigured } from "@/components/shop/FetchFromShop";
import { useListFilter } from "@/hooks/useListFilter";
import { useListKeys } from "@/hooks/useListKeys";
import { useListWork } from "@/hooks/useListWork";
import { useNewOrder } from "@/hooks/useNewOrder";
import { useOrders } from "@/hooks/useOrders";
import { useSelectMatching, type Matching } from "@/hooks/useSelectMatching";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";
import { countLabel, stageCountsQuery } from "@/lib/stages";

const NewOrderDialog = lazy(() => import("@/components/list/NewOrderDialog"));

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

/** Leads to the review of all orders that wait for one, as far as they match the search. */
function ReviewLink({ q }: { q: string }) {
  const { t } = useLanguage();
  const { data: counts } = useQuery(stageCountsQuery);
  const count = counts?.to_review ?? 0;
  if (count === 0) return null;
  return (
    <Link to={q ? `/review?q=${encodeURIComponent(q)}` : "/review"} className="button">
      {t("review.open")}
      <b className="font-semibold tabular-nums">{countLabel(count)}</b>
    </Link>
  );
}

function PageHead({ q, canFetch, onNew }: { q: string; canFetch: boolean; onNew: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="flex items-center justify-between gap-4">
      <h1 className="text-[22px] font-semibold tracking-tight">{t("list.title")}</h1>
      <div className="flex flex-wrap justify-end gap-2">
        <ForOperators>
          <ReviewLink q={q} />
          {canFetch && <FetchFromShop />}
          <button type="button" className="button button-primary" onClick={onNew}>
            <Icon name="plus" />
            <span className="max-sm:sr-only">{t("list.new")}</span>
          </button>
        </ForOperators>
      </div>
    </div>
  );
}

/** The floating parts of the list: the selection bar, the dialog for a new order, the drop hint. */
function Floating({
  work,
  matching,
  newOrder,
}: {
  work: ReturnType<typeof useListWork>;
  matching: Matching;
  newOrder: ReturnType<typeof useNewOrder>;
}) {
  const { t } = useLanguage();
  return (
    <>
      {work.selected.size > 0 && (
        <ForOperators>
          <SelectionBar
            count={work.selected.size}
            progress={work.progress}
            books={work.books}
            form={work.options.form}
            presets={work.options.presets}
            onOptions={work.options.setForm}
            isZipping={work.isZipping}
            isBusy={work.isBusy}
            onAct={(action) => void work.act(action)}
            onZip={(what) => void work.zip(what)}
            onBooks={() => void work.printBooks()}
            onClear={work.clear}
            matching={matching}
          />
        </ForOperators>
      )}
      {work.dialog}
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
      {newOrder.isOver && (
        <ForOperators>
          <DropHint text={t("upload.drop")} />
        </ForOperators>
      )}
    </>
  );
}

/** The list of orders. */
export function ListPage() {
  const { t } = useLanguage();
  useTitle(t("list.title"));
  const [filter, setFilter] = useListFilter();
  const { query, orders, loadMore } = useOrders(filter);
  const canFetch = useShopConfigured(query.data);
  const work = useListWork(orders);
  const matching = useSelectMatching(query, orders.length === work.selected.size, work.set);
  const newOrder = useNewOrder();
  const search = useRef<HTMLInputElement>(null);
  const current = useListKeys({
    orders,
    focusSearch: () => search.current?.focus(),
    onSelect: work.select,
    onClear: work.clear,
    onGenerate: (kind, number) => void work.act(kind, number),
  });
  const changeSearch = useCallback((q: string) => setFilter({ q }), [setFilter]);

  return (
    <>
      <PageHead q={filter.q} canFetch={canFetch} onNew={newOrder.begin} />
      <div className="mt-4 mb-3 flex flex-wrap items-center gap-2.5">
        <SearchField value={filter.q} onChange={changeSearch} field={search} />
        <StageFilter value={filter.stage} onChange={(stage) => setFilter({ stage })} />
      </div>
      {query.isPending && <ListSkeleton />}
      {query.isError && orders.length === 0 && (
        <LoadFailure title={t("list.failed")} error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.isSuccess && orders.length === 0 && (
        <EmptyList filter={filter} onClear={() => setFilter({ q: "", stage: null })} onNew={newOrder.begin} />
      )}
      {orders.length > 0 && (
        <>
          <OrderTable
            key={`${filter.q} ${filter.stage ?? ""}`}
            orders={orders}
            current={current}
            selected={work.selected}
            onSelect={work.select}
            onSelectAll={work.selectAll}
            onNearEnd={loadMore}
          />
          <More query={query} />
        </>
      )}
      <Floating work={work} matching={matching} newOrder={newOrder} />
    </>
  );
}
