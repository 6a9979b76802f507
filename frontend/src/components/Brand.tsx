import { Link } from "react-router";
import { useLanguage } from "@/i18n/context";

/** The logo, the tip of a crayon; decorative, next to the name. */
export function Mark({ className }: { className: string }) {
  return (
    <svg viewBox="0 0 24 24" className={className} aria-hidden>
      <path d="M4 20l1.5-5L16 4.500l3.500 3.500L9 18.500z" className="fill-accent" />
      <path d="M4 20l1.500-5 3.500 3.500z" className="fill-ink" />
    </svg>
  );
}

/** Link to the list of orders. */
export function BrandLink() {
  const { t } = useLanguage();
  return (
    <Link to="/" className="flex items-center gap-2 text-base font-bold tracking-tight">
      <Mark className="size-[22px]" />
      <span className="max-sm:sr-only">{t("app.name")}</span>
    </Link>
  );
}
