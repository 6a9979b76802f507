import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { showToast } from "@/lib/toasts";
import { useFileDrop } from "./useFileDrop";
import { useCanEdit } from "./useSession";

const sameFile = (one: File, other: File) =>
  one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;

/** The photos of the new order, null while there is none. Files dropped anywhere start one. */
export function useNewOrder() {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const [photos, setPhotos] = useState<File[] | null>(null);

  const add = (files: File[]) => {
    if (!canEdit) {
      showToast(t("error.operator_required"), "bad");
      return;
    }
    const [usable, other] = [files.filter(isPhoto), files.filter((file) => !isPhoto(file))];
    for (const file of other.slice(0, 3)) showToast(t("upload.notPhoto", { name: file.name }), "bad");
    if (usable.length === 0) return;
    setPhotos((known) => {
      const before = known ?? [];
      return [...before, ...usable.filter((file) => !before.some((one) => sameFile(one, file)))];
    });
  };
  const isOver = useFileDrop(add);
  return { photos, isOver, add, setPhotos, begin: () => setPhotos([]), close: () => setPhotos(null) };
}

/** MIME types that browsers report for unknown formats, such as HEIC. */
const UNKNOWN: readonly string[] = ["", "application/octet-stream"];

/** Whether the file may be a photo; the server decides by its content. */
function isPhoto(file: File): boolean {
  return file.type.startsWith("image/") || UNKNOWN.includes(file.type);
}
