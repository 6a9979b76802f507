import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { SHEET_SIZES, type SheetSize } from "./sheetSize";

interface SheetSizesProps {
  size: SheetSize;
  onSize: (size: SheetSize) => void;
}

/** Chooses the size of the sheets. */
export function SheetSizes({ size, onSize }: SheetSizesProps) {
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
