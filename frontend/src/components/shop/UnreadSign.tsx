import { useLanguage } from "@/i18n/context";

interface UnreadSignProps {
  /** The fields of the shop's last webhook that could not be read. */
  fields: string[] | null | undefined;
}

/** A warning that parts of the shop's data could not be read; nothing if all were. */
export function UnreadSign({ fields }: UnreadSignProps) {
  const { t } = useLanguage();
  if (!fields?.length) return null;
  const sentence = t("shop.unread", { fields: fields.join("; ") });
  return (
    <span
      role="img"
      aria-label={sentence}
      title={sentence}
      // Stacked above the link that covers the row.
      className="relative z-10 ml-1 inline-grid size-5 place-items-center rounded-full bg-bad-soft align-middle text-xs font-bold text-bad"
    >
      !
    </span>
  );
}
