import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { thumbnailOf } from "./thumbnail";

interface PictureProps {
  src: string;
  alt: string;
  /** Show the small file; the full one only where there is none. */
  small?: boolean;
  className?: string;
}

/**
 * An image that says so when its file cannot be shown. It remembers which address failed, not that one
 * did: when the address changes, the new file is tried.
 */
export function Picture({ src, alt, small = false, className = "size-full object-contain" }: PictureProps) {
  const [failed, setFailed] = useState<readonly string[]>([]);
  const candidates = small ? [thumbnailOf(src), src] : [src];
  const address = candidates.find((candidate) => !failed.includes(candidate));
  if (address === undefined) return <BrokenPicture alt={alt} onRetry={() => setFailed([])} />;
  return (
    <img
      key={address}
      src={address}
      alt={alt}
      loading="lazy"
      decoding="async"
      draggable={false}
      className={className}
      onError={() => setFailed((before) => [...before, address])}
    />
  );
}

function BrokenPicture({ alt, onRetry }: { alt: string; onRetry: () => void }) {
  const { t } = useLanguage();
  return (
    <span
      role="img"
      aria-label={alt}
      title={t("detail.picture.broken")}
      onDoubleClick={onRetry}
      className="grid size-full place-items-center bg-soft p-1 text-center text-xs text-mute"
    >
      <svg viewBox="0 0 24 24" className="size-5" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden>
        <path d="M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M5 4l15 16" />
      </svg>
    </span>
  );
}
