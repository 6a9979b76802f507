// Texts of signing in and out, and of the roles.
export const cs = {
  "signIn.title": "Přihlášení",
  "signIn.name": "Jméno",
  "signIn.password": "Heslo",
  "signIn.submit": "Přihlásit se",
  "signIn.busy": "Přihlašování...",
  "signIn.ended": "Přihlášení skončilo. Přihlaste se znovu a budete pokračovat na stejném místě.",
  "signIn.missing": "Vyplňte jméno i heslo.",
  "signIn.wait": {
    one: "Příliš mnoho pokusů. Zkuste to znovu za {count} sekundu.",
    few: "Příliš mnoho pokusů. Zkuste to znovu za {count} sekundy.",
    many: "Příliš mnoho pokusů. Zkuste to znovu za {count} sekundy.",
    other: "Příliš mnoho pokusů. Zkuste to znovu za {count} sekund.",
  },
  "signIn.waited": "Nyní to můžete zkusit znovu.",
  "signIn.proxy.title": "Nejste přihlášeni",
  "signIn.proxy.text":
    "Pastelka používá přihlášení na bráně před ní a ta vás neidentifikovala. Načtěte stránku znovu a přihlaste se na bráně. Pokud to nepomůže, požádejte správce o přístup.",
  "signIn.proxy.reload": "Načíst znovu",
  "who.label": "Přihlášení: {name}",
  "who.operator": "Operátor",
  "who.viewer": "Jen prohlížení",
  "who.operator.text": "Můžete objednávky prohlížet i měnit.",
  "who.viewer.text": "Objednávky můžete prohlížet a stahovat. Měnit je smějí jen operátoři.",
  "who.signOut": "Odhlásit se",
  "error.bad_credentials": "Jméno nebo heslo nesouhlasí.",
  "error.too_many_attempts": "Příliš mnoho pokusů. Zkuste to za chvíli znovu.",
  "error.no_passwords": "Přihlášení heslem je vypnuto. Načtěte stránku znovu.",
  "error.sign_in_required": "Přihlášení skončilo, nic se nezměnilo. Přihlaste se a zkuste to znovu.",
  "error.not_admitted": "Nemáte přístup. Požádejte o něj správce.",
  "error.local_only":
    "Bez přihlašování je přístup možný jen z tohoto počítače. Otevřete http://localhost, nebo nastavte AUTH_MODE.",
  "error.operator_required": "Toto smějí jen operátoři. Objednávky můžete prohlížet.",
  "error.wrong_origin":
    "Nic se nezměnilo: požadavek přišel z jiné adresy. Otevřete Pastelku na její vlastní adrese.",
} as const;

export const en = {
  "signIn.title": "Sign in",
  "signIn.name": "Name",
  "signIn.password": "Password",
  "signIn.submit": "Sign in",
  "signIn.busy": "Signing in...",
  "signIn.ended": "Your session ended. Sign in again to continue where you were.",
  "signIn.missing": "Enter your name and password.",
  "signIn.wait": {
    one: "Too many attempts. Try again in {count} second.",
    other: "Too many attempts. Try again in {count} seconds.",
  },
  "signIn.waited": "You can try again now.",
  "signIn.proxy.title": "You are not signed in",
  "signIn.proxy.text":
    "Pastelka uses the sign-in of the proxy in front of it, which did not identify you. Reload this page and sign in there. If that does not help, ask your administrator for access.",
  "signIn.proxy.reload": "Reload",
  "who.label": "Signed in: {name}",
  "who.operator": "Operator",
  "who.viewer": "View only",
  "who.operator.text": "You can view orders and change them.",
  "who.viewer.text": "You can view and download orders. Only operators can change them.",
  "who.signOut": "Sign out",
  "error.bad_credentials": "Wrong name or password.",
  "error.too_many_attempts": "Too many attempts. Try again in a moment.",
  "error.no_passwords": "Signing in with a password is disabled. Reload the page.",
  "error.sign_in_required": "Your session ended; nothing was changed. Sign in and try again.",
  "error.not_admitted": "You do not have access. Ask your administrator.",
  "error.local_only":
    "Without sign-in, access is limited to this machine. Open http://localhost, or set AUTH_MODE.",
  "error.operator_required": "Only operators may do this. You can view orders.",
  "error.wrong_origin":
    "Nothing was changed: the request came from another origin. Open Pastelka at its own URL.",
} as const;
