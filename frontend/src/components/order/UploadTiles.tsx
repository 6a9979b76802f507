import { useEffect } from "react";
import { PhotoTile } from "@/components/list/PhotoTile";
import { useLanguage } from "@/i18n/context";
import { uploadFailure } from "@/lib/uploadFailure";
import { isPassing, removeUpload, retryUpload, useUploads, type Upload } from "@/lib/uploads";
import type { LineItem } from "./model";

/** The photos that are being sent to a line item, and those that could not be stored, each with its reason. */
export function UploadTiles({ item }: { item: LineItem }) {
  const { t } = useLanguage();
  const uploads = useUploads().filter((upload) => upload.lineItemId === item.id);
  const shown = uploads.filter((upload) => !isShownByOrder(upload, item));
  const known = uploads.filter((upload) => isShownByOrder(upload, item)).map(({ key }) => key);
  const ended = known.join();
  useEffect(() => {
    for (const key of ended ? ended.split(",") : []) removeUpload(key);
  }, [ended]);
  if (shown.length === 0) return null;
  return (
    <ul
      aria-label={t("uploads.label", { title: item.title })}
      className="mt-5 grid grid-cols-2 gap-2 sm:grid-cols-4 lg:grid-cols-6 2xl:grid-cols-8"
    >
      {shown.map((upload) => (
        <UploadTile key={upload.key} upload={upload} />
      ))}
    </ul>
  );
}

const isShownByOrder = ({ state, position, imageId }: Upload, item: LineItem): boolean =>
  state === "stored" && (position === undefined || item.images.some((image) => image.id === imageId));

function UploadTile({ upload: { key, file, state, share, error } }: { upload: Upload }) {
  const { t, language } = useLanguage();
  const isFailed = state === "failed";
  return (
    <PhotoTile
      photo={file}
      progress={isFailed ? null : share}
      reason={isFailed && error ? uploadFailure(error, file.name, t, language) : undefined}
      note={
        state === "retrying"
          ? t("uploads.retrying")
          : state === "sending" && share === 1
            ? t("upload.storing")
            : undefined
      }
      onRetry={
        isFailed && error && isWorthARetry(error.status, isPassing(error))
          ? () => retryUpload(key)
          : undefined
      }
      onRemove={state === "stored" ? undefined : () => removeUpload(key)}
    />
  );
}

/** Not if another photo, or none, is there meanwhile. */
const isWorthARetry = (status: number, passing: boolean): boolean =>
  passing || (status !== 412 && status !== 404);
