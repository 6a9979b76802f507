import { Choice } from "@/components/Choice";
import { NumberField } from "@/components/order/OwnFields";
import { useLanguage } from "@/i18n/context";
import {
  BACKS,
  COPIES,
  FONTS,
  invalidLengths,
  LENGTHS,
  lengthsOutOfRange,
  MIN_PRINTABLE_MM,
  ORIENTATIONS,
  PAPERS,
  withPaper,
  type BookForm,
  type LengthName,
} from "@/lib/bookOptions";

interface BookFieldsProps {
  form: BookForm;
  onChange: (form: BookForm) => void;
}

const SWITCHES = ["has_crop_marks", "has_numbers", "has_cover_photo", "has_photo_page"] as const;

/** The options of a book: paper, bleed and marks, margins, backs, numbers, photos, copies, typeface. */
export function BookFields({ form, onChange }: BookFieldsProps) {
  const { t } = useLanguage();
  const length = (name: LengthName) => <LengthField key={name} name={name} form={form} onChange={onChange} />;
  return (
    <div className="grid gap-2.5 [&_label]:justify-between [&_select]:min-w-36">
      <Choice
        label={t("book.paper")}
        value={form.paper}
        choices={PAPERS.map((value) => ({
          value,
          text: value === "custom" ? t("book.paper.custom") : value,
        }))}
        onChoose={(paper) => onChange(withPaper(form, paper))}
      />
      {form.paper === "custom" && (
        <>
          {length("width_mm")}
          {length("height_mm")}
        </>
      )}
      <Choice
        label={t("book.orientation")}
        value={form.orientation}
        choices={ORIENTATIONS.map((value) => ({ value, text: t(`book.orientation.${value}`) }))}
        onChoose={(orientation) => onChange({ ...form, orientation })}
      />
      {length("bleed_mm")}
      {length("inner_margin_mm")}
      <Choice
        label={t("book.backs")}
        value={form.backs}
        choices={BACKS.map((value) => ({ value, text: t(`book.backs.${value}`) }))}
        onChoose={(backs) => onChange({ ...form, backs })}
      />
      <Choice
        label={t("book.copies")}
        value={form.copies}
        choices={COPIES.map((value) => ({ value, text: t(`book.copies.${value}`) }))}
        onChoose={(copies) => onChange({ ...form, copies })}
      />
      <Choice
        label={t("book.font")}
        value={form.font}
        choices={FONTS.map((value) => ({ value, text: value }))}
        onChoose={(font) => onChange({ ...form, font })}
      />
      {SWITCHES.map((name) => (
        <label key={name} className="flex min-h-8 items-center gap-2 text-[13px] text-mute">
          {t(`book.${name}`)}
          <input
            type="checkbox"
            checked={form[name]}
            onChange={(event) => onChange({ ...form, [name]: event.target.checked })}
            className="size-4 accent-ink"
          />
        </label>
      ))}
    </div>
  );
}

function LengthField({ name, form, onChange }: BookFieldsProps & { name: LengthName }) {
  const { t } = useLanguage();
  const { min, max } = LENGTHS[name];
  const error = lengthsOutOfRange(form).includes(name)
    ? t("book.length.error", { min, max })
    : invalidLengths(form).includes(name)
      ? t("book.area.error", { min: MIN_PRINTABLE_MM })
      : undefined;
  return (
    <NumberField
      label={t(`book.${name}`)}
      range={LENGTHS[name]}
      value={form[name]}
      error={error}
      onChange={(length) => onChange({ ...form, [name]: length })}
    />
  );
}
