import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import { cn } from "@/lib/cn";

/** Paid: green; pending: blue or yellow; refunded: gray; lost: red. The badge always has a text, too. */
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

/** The payment status that the shop reports; a dash without one, an unknown value unchanged. */
export function PaymentBadge({ status }: { status: string | null }) {
  const { t } = useLanguage();
  // A dash without a column heading would be meaningless.
  if (status === null) return <span className="text-mute max-xl:hidden">{t("list.none")}</span>;
  const name = status.toLowerCase();
  const key = `payment.${name}`;
  const text = isTextKey(key) ? t(key) : status;
  return (
    <span
      data-payment={name}
      title={text}
      className={cn(
        "status-badge inline-block max-w-full truncate rounded-full px-2.5 py-0.5 align-middle text-xs font-medium",
        COLOR[name] ?? "bg-gray-100 text-gray-800",
      )}
    >
      {text}
    </span>
  );
}
