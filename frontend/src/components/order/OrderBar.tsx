import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import type { OptionsForm } from "@/lib/options";
import type { Presets } from "@/lib/api";
import { cn } from "@/lib/cn";
import type { OptionsToSend } from "./actions";
import { GenerateAll } from "./GenerateAll";
import { deliverableImagesOf, isDeliverable } from "./cached-order";
import type { Order } from "./model";
import { NextAction } from "./NextAction";
import { OptionsBar } from "./OptionsBar";

interface OrderBarProps {
  order: Order;
  options: {
    form: OptionsForm;
    setForm: (form: OptionsForm) => void;
    presets: Presets | undefined;
    toSend: OptionsToSend;
  };
}

const BAR = "border-line bg-paper/95 backdrop-blur";

/** Stays in sight: which order it is, how far it is, and its next action; where there is room, the options, too. */
export function OrderBar({ order, options }: OrderBarProps) {
  return (
    // On a phone, only the first row stays.
    <div
      className={cn(
        "mt-4 max-md:contents md:sticky md:top-14 md:z-20 md:-mx-7 md:border-y md:px-7 md:py-2",
        BAR,
      )}
    >
      <div
        className={cn(
          "flex min-h-9 items-center gap-3 max-md:sticky max-md:top-14 max-md:z-20 max-md:-mx-4 max-md:mt-4 max-md:border-y max-md:px-4 max-md:py-1.5 sm:max-md:-mx-7 sm:max-md:px-7",
          BAR,
        )}
      >
        <Identity order={order} />
        {isDeliverable(order) && (
          <ForOperators>
            <NextAction order={order} options={options.toSend} />
          </ForOperators>
        )}
      </div>
      {isDeliverable(order) && (
        <ForOperators>
          <div className="flex flex-wrap items-center gap-x-4 gap-y-2 max-md:mt-3 md:mt-1.5">
            <OptionsBar form={options.form} presets={options.presets} onChange={options.setForm} />
            <div className="sm:ml-auto">
              <GenerateAll order={order} options={options.toSend} />
            </div>
          </div>
        </ForOperators>
      )}
    </div>
  );
}

function Identity({ order }: { order: Order }) {
  const { t } = useLanguage();
  const images = deliverableImagesOf(order);
  const approved = images.filter((image) => image.approved_at).length;
  return (
    <p className="mr-auto flex min-w-0 flex-wrap items-baseline gap-x-2.5">
      <b className="font-semibold">{order.order_number}</b>
      {order.customer_name && (
        <span className="max-w-full truncate" title={order.customer_name}>
          {order.customer_name}
        </span>
      )}
      {images.length > 0 && (
        <span className="text-[13px] text-mute tabular-nums" data-progress>
          {t("detail.progress", { approved, count: images.length })}
        </span>
      )}
    </p>
  );
}
