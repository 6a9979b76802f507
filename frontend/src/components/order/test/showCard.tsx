import { QueryClient, QueryClientProvider, skipToken, useQuery } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";
import { Toasts } from "@/components/Toasts";
import { orderKey } from "@/lib/orderQuery";
import { imagesOf } from "../cached-order";
import { ImageCard } from "../ImageCard";
import type { Order, OrderImage } from "../model";
import { RunTimesContext, UNKNOWN_RUN_TIMES, type RunTimes } from "../runTimes";
import { useCardKeys, type CardRegister } from "../useCardKeys";
import type { Viewed } from "../views";
import { image, order, page, svg } from "./orders";

export const OPTIONS = {
  coloring: { megapixels: 2, steps: 4 },
  svg: { shape_stacking: "stacked", group_by: "color" },
  taken: ["megapixels", "steps", "frame", "background", "line_weight"],
} as const;

/** Renders the card of the first image of the cached order as the page does. */
function Shown({ register, onView }: { register: CardRegister; onView: (viewed: Viewed) => void }) {
  useCardKeys(register);
  const { data } = useQuery<Order>({ queryKey: orderKey("1270"), queryFn: skipToken });
  const first = data && imagesOf(data)[0];
  if (!first) return null;
  return <ImageCard orderNumber="1270" image={first} options={OPTIONS} register={register} onView={onView} />;
}

export function show(shown: OrderImage, runTimes: RunTimes = UNKNOWN_RUN_TIMES) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  queries.setQueryData(orderKey("1270"), order([shown]));
  const onView = vi.fn<(viewed: Viewed) => void>();
  render(
    <QueryClientProvider client={queries}>
      <RunTimesContext value={runTimes}>
        <Shown register={new Map()} onView={onView} />
      </RunTimesContext>
      <Toasts />
    </QueryClientProvider>,
  );
  return { queries, onView, user: userEvent.setup() };
}

export const pages = (): HTMLElement => screen.getByRole("list", { name: "Verze omalovánky" });
export const tile = (version: number): HTMLElement =>
  within(pages()).getByRole("button", { name: new RegExp(`^v${version}\\b`) });

export const TWO_PAGES = image({
  selected_version_ids: { coloring: 1, svg: 11 },
  versions: { coloring: [page(1), page(2)], svg: [svg(11, 1)] },
});
