import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import { cn } from "@/lib/cn";

/** Settled green, on its way blue or yellow, given back gray, lost red; always with its word. */
const COLOR: Record<string, string> = {
  pending: "bg-yellow-100 text-yellow-800",
  authorized: "bg-blue-100 text-blue-800",
  partially_paid: "bg-yellow-100 text-yellow-800",
  paid: "bg-green-100 text-green-800",
  partially_refunded: "bg-gray-100 text-gray-800",
  refunded: "bg-gray-100 text-gray-800",
  voided: "bg-red-100 text-red-800",
  expired: "bg-red-100 text-red-800",
};

/** How an order is paid for, as the shop says; a dash where it says nothing, an unknown value as it is. */
export function PaymentBadge({ status }: { status: string | null }) {
  const { t } = useLanguage();
  // Without a column heading a dash would say nothing.
  if (status === null) return <span className="text-mute max-xl:hidden">{t("list.none")}</span>;
  const name = status.toLowerCase();
  const key = `payment.${name}`;
  return (
    <span
      data-payment={name}
      className={cn(
        "status-badge inline-block max-w-full truncate rounded-md px-2 py-0.5 align-middle text-xs font-medium",
        COLOR[name] ?? "bg-gray-100 text-gray-800",
      )}
    >
      {isTextKey(key) ? t(key) : status}
    </span>
  );
}
