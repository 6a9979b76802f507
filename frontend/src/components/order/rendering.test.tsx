import { QueryClient, QueryClientProvider, skipToken, useQuery } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { orderKey } from "@/lib/orderQuery";
import { withImage } from "./cached-order";
import { LineItemSection } from "./LineItemSection";
import type { Order } from "./model";
import { runTimesOf, RunTimesContext } from "./runTimes";
import { image, order, page } from "./test/orders";
import type { CardCommands } from "./useCardKeys";

/** A card registers its commands at each render; the calls show which cards rendered. */
class Drawn extends Map<number, CardCommands> {
  readonly images = new Set<number>();

  override set(imageId: number, commands: CardCommands): this {
    this.images.add(imageId);
    return super.set(imageId, commands);
  }
}

const OPTIONS = {
  coloring: { megapixels: 2, steps: 4 },
  svg: { shape_stacking: "stacked", group_by: "color" },
  taken: [],
} as const;
const drawn = new Drawn();
const ignore = (): void => undefined;

function Page() {
  const { data } = useQuery<Order>({ queryKey: orderKey("1270"), queryFn: skipToken });
  return (
    <RunTimesContext value={runTimesOf(undefined, undefined)}>
      {data?.line_items.map((item) => (
        <LineItemSection
          isDeliverable
          isRemovable={false}
          key={item.id}
          orderNumber="1270"
          item={item}
          options={OPTIONS}
          size="medium"
          register={drawn}
          onView={ignore}
        />
      ))}
    </RunTimesContext>
  );
}

it("re-renders only the card whose image changed", async () => {
  const queries = new QueryClient();
  const images = Array.from({ length: 20 }, (_, index) => image({ id: index + 1, position: index + 1 }));
  queries.setQueryData(orderKey("1270"), order(images));
  render(
    <QueryClientProvider client={queries}>
      <Page />
    </QueryClientProvider>,
  );
  expect(drawn.images.size).toBe(20);
  drawn.images.clear();
  // All objects are new, as in a response of the API; the cache keeps the unchanged ones.
  queries.setQueryData<Order>(orderKey("1270"), (before) => {
    const copy = structuredClone(before);
    const work = { versions: { coloring: [page(1, { status: "processing", url: null })], svg: [] } };
    return copy && withImage(copy, 7, (one) => ({ ...one, ...work }));
  });
  const card = screen.getByRole("article", { name: "Fotka 7" });
  await waitFor(() => expect(within(card).getByRole("progressbar")).toBeVisible());
  expect([...drawn.images]).toEqual([7]);
});
