import { useEffect } from "react";
import { Icon } from "@/components/Icon";
import { useFailedFiles } from "@/hooks/useFailedFiles";
import { useLanguage } from "@/i18n/context";
import { thumbnailOf } from "./thumbnail";

interface PictureProps {
  src: string;
  alt: string;
  /** Show the thumbnail; the full file if there is none. */
  small?: boolean;
  /** Load it although it is not on screen. */
  eager?: boolean;
  className?: string;
  onLoad?: (picture: HTMLImageElement) => void;
}

/**
 * An image that shows an error if its file cannot be loaded. The failure belongs to the URL: a new URL is
 * loaded. A failed one is retried when the window gets the focus, after a sign-in, or when the network returns.
 */
export function Picture({
  src,
  alt,
  small = false,
  eager = false,
  className = "size-full object-contain",
  onLoad,
}: PictureProps) {
  const { failed, report, clear } = useFailedFiles();
  const candidates = small ? [thumbnailOf(src), src] : [src];
  const address = candidates.find((candidate) => !failed.includes(candidate));
  if (address === undefined) return <BrokenPicture alt={alt} onRetry={clear} />;
  return (
    <img
      key={address}
      src={address}
      alt={alt}
      loading={eager ? "eager" : "lazy"}
      decoding="async"
      draggable={false}
      className={className}
      onError={() => report(address)}
      onLoad={(event) => onLoad?.(event.currentTarget)}
    />
  );
}

function BrokenPicture({ alt, onRetry }: { alt: string; onRetry: () => void }) {
  const { t } = useLanguage();
  useEffect(() => {
    addEventListener("focus", onRetry);
    addEventListener("online", onRetry);
    return () => {
      removeEventListener("focus", onRetry);
      removeEventListener("online", onRetry);
    };
  });
  return (
    <span
      role="img"
      aria-label={alt ? `${alt}: ${t("detail.picture.broken")}` : t("detail.picture.broken")}
      title={t("detail.picture.broken")}
      className="@container grid size-full place-items-center bg-soft text-center text-[13px] text-mute"
    >
      <span className="grid place-items-center gap-2">
        <Icon name="alert" className="size-5" />
        <span className="hidden px-4 @[8rem]:block">{t("detail.picture.broken")}</span>
      </span>
    </span>
  );
}
