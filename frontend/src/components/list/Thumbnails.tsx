import { useFailedFiles } from "@/hooks/useFailedFiles";
import { useLanguage } from "@/i18n/context";

const TILE = "-ml-2.5 size-10 shrink-0 rounded-lg border-2 border-card bg-soft object-cover first:-ml-0.5";

/** A file that could not be loaded is shown as an empty tile. */
function Thumbnail({ url }: { url: string }) {
  const { failed, report } = useFailedFiles();
  if (failed.includes(url)) return <span className={TILE} />;
  return (
    <img
      src={url}
      alt=""
      width={40}
      height={40}
      loading="lazy"
      decoding="async"
      className={TILE}
      onError={() => report(url)}
    />
  );
}

/** The first photos of an order, and their total number. Loading them does not change its size. */
export function Thumbnails({ urls, count }: { urls: readonly string[]; count: number }) {
  const { t } = useLanguage();
  return (
    <div className="flex h-10 items-center gap-2.5">
      {urls.length > 0 && (
        <div aria-hidden className="flex shrink-0">
          {urls.map((url) => (
            <Thumbnail key={url} url={url} />
          ))}
        </div>
      )}
      <span className="text-[12.5px] whitespace-nowrap text-mute tabular-nums">{t("photos", { count })}</span>
    </div>
  );
}
