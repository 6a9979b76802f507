import { useLanguage } from "@/i18n/context";

interface UnreadSignProps {
  /** What could not be read of the shop's last webhook about the order. */
  fields: string[] | null | undefined;
}

/** Says that a part of the order came from the shop in a form that cannot be read; nothing if all was read. */
export function UnreadSign({ fields }: UnreadSignProps) {
  const { t } = useLanguage();
  if (!fields?.length) return null;
  const sentence = t("shop.unread", { fields: fields.join("; ") });
  return (
    <span
      role="img"
      aria-label={sentence}
      title={sentence}
      // Above the link that covers the row.
      className="relative z-10 ml-1 inline-grid size-5 place-items-center rounded-full bg-bad-soft align-middle text-xs font-bold text-bad"
    >
      !
    </span>
  );
}
