import { useRef, type ReactNode, type Ref } from "react";
import { ACCEPTED_PHOTOS } from "@/lib/photoFiles";

interface FilePickerProps {
  className?: string;
  label?: string;
  testId?: string;
  children: ReactNode;
  onFiles: (files: File[]) => void;
}

/** A button that lets the user choose photos. */
export function FilePicker({ className, label, testId, children, onFiles }: FilePickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className={className ?? "button button-small"}
        aria-label={label}
        onClick={() => input.current?.click()}
      >
        {children}
      </button>
      <PhotoInput field={input} multiple testId={testId} onFiles={onFiles} />
    </>
  );
}

interface PhotoInputProps {
  field: Ref<HTMLInputElement>;
  multiple?: boolean;
  testId?: string | undefined;
  onFiles: (files: File[]) => void;
}

/** The hidden input that opens the system's dialog. */
export function PhotoInput({ field, multiple = false, testId, onFiles }: PhotoInputProps) {
  return (
    <input
      ref={field}
      type="file"
      accept={ACCEPTED_PHOTOS}
      multiple={multiple}
      hidden
      data-testid={testId}
      onChange={(event) => {
        onFiles([...(event.target.files ?? [])]);
        event.target.value = "";
      }}
    />
  );
}
