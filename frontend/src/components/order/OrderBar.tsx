import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import type { OptionsForm } from "@/lib/options";
import type { Presets } from "@/lib/api";
import { cn } from "@/lib/cn";
import type { OptionsToSend } from "./actions";
import { deliverableImagesOf, isDeliverable } from "./cached-order";
import type { Order } from "./model";
import { NextAction } from "./NextAction";
import { OptionsBar } from "./OptionsBar";
import { GenerateAll } from "./OrderHead";
import { SHEET_SIZES, type SheetSize } from "./sheetSize";

interface OrderBarProps {
  order: Order;
  options: {
    form: OptionsForm;
    setForm: (form: OptionsForm) => void;
    presets: Presets | undefined;
    toSend: OptionsToSend;
  };
  size: SheetSize;
  onSize: (size: SheetSize) => void;
}

const BAR = "border-line bg-paper/95 backdrop-blur";

/** Stays in sight: which order it is, how far it is, and its next action; where there is room, the options, too. */
export function OrderBar({ order, options, size, onSize }: OrderBarProps) {
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
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 max-md:mt-3 md:mt-1.5">
        {isDeliverable(order) && (
          <ForOperators>
            <OptionsBar form={options.form} presets={options.presets} onChange={options.setForm} />
          </ForOperators>
        )}
        <SheetSizes size={size} onSize={onSize} />
        {isDeliverable(order) && (
          <ForOperators>
            <GenerateAll order={order} options={options.toSend} />
          </ForOperators>
        )}
      </div>
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

function SheetSizes({ size, onSize }: Pick<OrderBarProps, "size" | "onSize">) {
  const { t } = useLanguage();
  return (
    <div
      role="group"
      aria-label={t("sheet.size")}
      className="flex rounded-[9px] border border-line bg-card p-0.5"
    >
      {SHEET_SIZES.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === size}
          onClick={() => onSize(one)}
          className={cn(
            "h-8 rounded-[7px] px-2.5 text-[13px]",
            one === size ? "bg-soft font-medium text-ink" : "text-mute hover:text-ink",
          )}
        >
          {t(`sheet.size.${one}`)}
        </button>
      ))}
    </div>
  );
}
