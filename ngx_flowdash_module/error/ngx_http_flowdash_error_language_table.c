
/*
 * What the module's own pages say, in each language.  Another language is
 * another row here.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_error_language_table.h>


/* the sayings in the order of ngx_http_flowdash_error_saying_e */

ngx_http_flowdash_error_language_t  ngx_http_flowdash_error_languages[] = {

    { ngx_string("en"), 0, ngx_string(" "),
      {
        ngx_string("“%V” was not carried out"),
        ngx_string("The action was not carried out"),
        ngx_string("The action was not carried out again"),
        ngx_string("The step %V refused the action."),
        ngx_string("The step %V does not work right now."),
        ngx_string("The step %V took too long."),
        ngx_string("The step %V could not be reached."),
        ngx_string("The step %V could not be reached safely."),
        ngx_string("The step %V gave an answer that cannot be used."),
        ngx_string("The step %V could not be called with the data that was "
                   "sent."),
        ngx_string("The step %V was not ready in time."),
        ngx_string("The step %V could not be run."),
        ngx_string("The app could not be reached, but these steps "
                   "have been carried out: %V."),
        ngx_string("Nothing can be changed at this address."),
        ngx_string("The task could not be looked up."),
        ngx_string("Your identity could not be determined."),
        ngx_string("You are not signed in, or your session has ended."),
        ngx_string("You may not do this."),
        ngx_string("The gateway in front of the app failed."),
        ngx_string("The app could not be reached."),
        ngx_string("Too much was sent at once."),
        ngx_string("JSON was sent with the Content-Type of a form; it "
                   "should be application/json."),
        ngx_string("The data was sent in a format that is not supported "
                   "here."),
        ngx_string("The request names two methods, and it is unclear which "
                   "one counts."),
        ngx_string("The data that was sent could not be read."),
        ngx_string("It was done before, but its result cannot be shown."),
        ngx_string("It was sent before, and may have been carried out."),
        ngx_string("It was sent before, and is still being carried out."),
        ngx_string("Something else was already sent with the same form or "
                   "key."),
        ngx_string("The answer was:"),
        ngx_string("Nothing was changed in the app."),
        ngx_string("What they did is being undone as far as possible."),
        ngx_string("What you can do"),
        ngx_string("Go back, check what you entered, and try again."),
        ngx_string("Wait a moment, then go back and try again."),
        ngx_string("Go back and try again later: somebody may have to fix the "
                   "problem first."),
        ngx_string("Go back, shorten what you entered, and try again."),
        ngx_string("Trying again will not help: please contact support."),
        ngx_string("Sign in, then go back and try again."),
        ngx_string("Check the task before you try again."),
        ngx_string("Go back, reload the page, and try again."),
        ngx_string("Back to where you were"),
        ngx_string("If you need help, give support this number:")
      } },

    { ngx_string("ar"), 1, ngx_string(" "),
      {
        ngx_string("لم يُنفَّذ الإجراء «%V»"),
        ngx_string("لم يُنفَّذ الإجراء"),
        ngx_string("لم يُنفَّذ الإجراء مرة أخرى"),
        ngx_string("رفضت الخطوة %V الإجراء."),
        ngx_string("الخطوة %V لا تعمل حاليًا."),
        ngx_string("استغرقت الخطوة %V وقتًا أطول من اللازم."),
        ngx_string("تعذّر الوصول إلى الخطوة %V."),
        ngx_string("تعذّر الوصول إلى الخطوة %V بشكل آمن."),
        ngx_string("أعطت الخطوة %V ردًّا لا يمكن استخدامه."),
        ngx_string("تعذّر استدعاء الخطوة %V بالبيانات المرسلة."),
        ngx_string("لم تنتهِ الخطوة %V في الوقت المحدد."),
        ngx_string("تعذّر تنفيذ الخطوة %V."),
        ngx_string("تعذّر الوصول إلى التطبيق، لكن هذه الخطوات "
                   "نُفِّذت: %V."),
        ngx_string("لا يمكن تغيير أي شيء في هذا العنوان."),
        ngx_string("تعذّر جلب المهمة."),
        ngx_string("تعذّر التحقق من هويتك."),
        ngx_string("لم تسجّل الدخول، أو انتهت جلستك."),
        ngx_string("لا يُسمح لك بهذا الإجراء."),
        ngx_string("حدث خطأ في البوابة التي أمام التطبيق."),
        ngx_string("تعذّر الوصول إلى التطبيق."),
        ngx_string("أُرسلت بيانات كثيرة جدًا دفعة واحدة."),
        ngx_string("أُرسل JSON بنوع محتوى (Content-Type) خاص بالنماذج، "
                   "والصحيح application/json."),
        ngx_string("أُرسلت البيانات بصيغة غير مفهومة هنا."),
        ngx_string("يذكر الطلب طريقتين، ولا يُعرف أيهما المعتمدة."),
        ngx_string("تعذّرت قراءة البيانات المرسلة."),
        ngx_string("نُفِّذ من قبل، لكن لا يمكن عرض نتيجته."),
        ngx_string("أُرسل من قبل، وربما نُفِّذ."),
        ngx_string("أُرسل من قبل، وما زال قيد التنفيذ."),
        ngx_string("أُرسل شيء آخر من قبل بالنموذج نفسه أو المفتاح نفسه."),
        ngx_string("كان الرد:"),
        ngx_string("لم يتغير أي شيء في التطبيق."),
        ngx_string("يجري التراجع عمّا نفّذته قدر الإمكان."),
        ngx_string("ما يمكنك فعله"),
        ngx_string("ارجع وتحقق مما أدخلته ثم حاول مرة أخرى."),
        ngx_string("انتظر لحظة، ثم ارجع وحاول مرة أخرى."),
        ngx_string("ارجع وحاول مرة أخرى لاحقًا: فقد يلزم أن يصلح أحدهم "
                   "الخلل أولًا."),
        ngx_string("ارجع واختصر ما أدخلته ثم حاول مرة أخرى."),
        ngx_string("لن تفيد المحاولة مرة أخرى: يُرجى الاتصال بالدعم."),
        ngx_string("سجّل الدخول، ثم ارجع وحاول مرة أخرى."),
        ngx_string("تحقق من المهمة قبل أن تحاول مرة أخرى."),
        ngx_string("ارجع وأعد تحميل الصفحة ثم حاول مرة أخرى."),
        ngx_string("العودة إلى الصفحة السابقة"),
        ngx_string("إذا احتجت إلى مساعدة، فأخبر الدعم بهذا الرقم:")
      } },

    { ngx_string("de"), 0, ngx_string(" "),
      {
        ngx_string("„%V“ wurde nicht ausgeführt"),
        ngx_string("Die Aktion wurde nicht ausgeführt"),
        ngx_string("Die Aktion wurde nicht noch einmal ausgeführt"),
        ngx_string("Der Schritt %V hat abgelehnt."),
        ngx_string("Der Schritt %V funktioniert gerade nicht."),
        ngx_string("Der Schritt %V hat zu lange gedauert."),
        ngx_string("Der Schritt %V war nicht erreichbar."),
        ngx_string("Der Schritt %V war nicht auf sicherem Weg erreichbar."),
        ngx_string("Der Schritt %V hat eine Antwort gegeben, die nicht "
                   "verwendet werden kann."),
        ngx_string("Der Schritt %V konnte mit den gesendeten Daten nicht "
                   "aufgerufen werden."),
        ngx_string("Der Schritt %V war nicht rechtzeitig fertig."),
        ngx_string("Der Schritt %V konnte nicht ausgeführt werden."),
        ngx_string("Die Anwendung war nicht erreichbar, aber diese "
                   "Schritte wurden ausgeführt: %V."),
        ngx_string("Unter dieser Adresse kann nichts geändert werden."),
        ngx_string("Die Aufgabe konnte nicht abgerufen werden."),
        ngx_string("Es konnte nicht festgestellt werden, wer Sie sind."),
        ngx_string("Sie sind nicht angemeldet, oder Ihre Sitzung ist "
                   "abgelaufen."),
        ngx_string("Sie dürfen das nicht."),
        ngx_string("Im Gateway vor der Anwendung ist ein Fehler "
                   "aufgetreten."),
        ngx_string("Die Anwendung war nicht erreichbar."),
        ngx_string("Es wurde zu viel auf einmal gesendet."),
        ngx_string("Es wurde JSON mit dem Content-Type eines Formulars "
                   "gesendet; richtig wäre application/json."),
        ngx_string("Die Daten wurden in einem Format gesendet, das hier "
                   "nicht verstanden wird."),
        ngx_string("Die Anfrage nennt zwei Methoden, und es ist nicht "
                   "klar, welche gilt."),
        ngx_string("Die gesendeten Daten konnten nicht gelesen werden."),
        ngx_string("Sie wurde bereits ausgeführt, aber das Ergebnis kann "
                   "nicht gezeigt werden."),
        ngx_string("Sie wurde schon gesendet und vielleicht ausgeführt."),
        ngx_string("Sie wurde schon gesendet und läuft noch."),
        ngx_string("Mit demselben Formular oder Schlüssel wurde schon etwas "
                   "anderes gesendet."),
        ngx_string("Die Antwort war:"),
        ngx_string("In der Anwendung wurde nichts geändert."),
        ngx_string("Was sie getan haben, wird so weit wie möglich rückgängig "
                   "gemacht."),
        ngx_string("Was Sie tun können"),
        ngx_string("Gehen Sie zurück, prüfen Sie Ihre Eingaben und "
                   "versuchen Sie es noch einmal."),
        ngx_string("Warten Sie einen Moment, gehen Sie dann zurück und "
                   "versuchen Sie es noch einmal."),
        ngx_string("Gehen Sie zurück und versuchen Sie es später noch "
                   "einmal: Vielleicht muss erst jemand den Fehler "
                   "beheben."),
        ngx_string("Gehen Sie zurück, kürzen Sie Ihre Eingaben und "
                   "versuchen Sie es noch einmal."),
        ngx_string("Ein neuer Versuch hilft nicht: Bitte wenden Sie sich "
                   "an den Support."),
        ngx_string("Melden Sie sich an, gehen Sie dann zurück und versuchen "
                   "Sie es noch einmal."),
        ngx_string("Sehen Sie sich die Aufgabe an, bevor Sie es noch einmal "
                   "versuchen."),
        ngx_string("Gehen Sie zurück, laden Sie die Seite neu und versuchen "
                   "Sie es noch einmal."),
        ngx_string("Zurück zur vorherigen Seite"),
        ngx_string("Wenn Sie Hilfe brauchen, nennen Sie dem Support diese "
                   "Nummer:")
      } },

    { ngx_string("es"), 0, ngx_string(" "),
      {
        ngx_string("La acción «%V» no se ha realizado"),
        ngx_string("La acción no se ha realizado"),
        ngx_string("La acción no se ha realizado de nuevo"),
        ngx_string("El paso %V la ha rechazado."),
        ngx_string("El paso %V no funciona en este momento."),
        ngx_string("El paso %V ha tardado demasiado."),
        ngx_string("No se ha podido contactar con el paso %V."),
        ngx_string("No se ha podido contactar de forma segura con el paso "
                   "%V."),
        ngx_string("El paso %V ha dado una respuesta que no se puede usar."),
        ngx_string("No se ha podido llamar al paso %V con los datos "
                   "enviados."),
        ngx_string("El paso %V no ha terminado a tiempo."),
        ngx_string("No se ha podido ejecutar el paso %V."),
        ngx_string("No se ha podido contactar con la aplicación, "
                   "pero estos pasos se han ejecutado: %V."),
        ngx_string("En esta dirección no se puede modificar nada."),
        ngx_string("No se ha podido consultar la tarea."),
        ngx_string("No se ha podido comprobar quién es usted."),
        ngx_string("No ha iniciado sesión o su sesión ha caducado."),
        ngx_string("No tiene permiso para hacer esto."),
        ngx_string("Ha fallado la puerta de enlace que está delante de la "
                   "aplicación."),
        ngx_string("No se ha podido contactar con la aplicación."),
        ngx_string("Se han enviado demasiados datos de una vez."),
        ngx_string("Se ha enviado JSON con el Content-Type de un "
                   "formulario; debería ser application/json."),
        ngx_string("Los datos se han enviado en un formato que aquí no se "
                   "entiende."),
        ngx_string("La solicitud indica dos métodos y no se sabe cuál es "
                   "el válido."),
        ngx_string("No se han podido leer los datos enviados."),
        ngx_string("Ya se realizó, pero no se puede mostrar su resultado."),
        ngx_string("Ya se había enviado, y quizá se haya realizado."),
        ngx_string("Ya se había enviado, y aún se está realizando."),
        ngx_string("Ya se ha enviado otra cosa con el mismo formulario o la "
                   "misma clave."),
        ngx_string("La respuesta fue:"),
        ngx_string("No se ha modificado nada en la aplicación."),
        ngx_string("Lo que hicieron se está deshaciendo en la medida de lo "
                   "posible."),
        ngx_string("Qué puede hacer"),
        ngx_string("Vuelva atrás, revise los datos introducidos e "
                   "inténtelo de nuevo."),
        ngx_string("Espere un momento, vuelva atrás e inténtelo de nuevo."),
        ngx_string("Vuelva atrás e inténtelo más tarde: es posible que "
                   "alguien tenga que solucionar antes el problema."),
        ngx_string("Vuelva atrás, acorte los datos introducidos e "
                   "inténtelo de nuevo."),
        ngx_string("Intentarlo de nuevo no servirá de nada: póngase en "
                   "contacto con el servicio de asistencia."),
        ngx_string("Inicie sesión, vuelva atrás e inténtelo de nuevo."),
        ngx_string("Compruebe la tarea antes de intentarlo de nuevo."),
        ngx_string("Vuelva atrás, recargue la página e inténtelo de nuevo."),
        ngx_string("Volver a la página anterior"),
        ngx_string("Si necesita ayuda, indique este número al servicio de "
                   "asistencia:")
      } },

    { ngx_string("fr"), 0, ngx_string(" "),
      {
        ngx_string("L’action « %V » n’a pas été effectuée"),
        ngx_string("L’action n’a pas été effectuée"),
        ngx_string("L’action n’a pas été effectuée de nouveau"),
        ngx_string("L’étape %V l’a refusée."),
        ngx_string("L’étape %V ne fonctionne pas en ce moment."),
        ngx_string("L’étape %V a pris trop de temps."),
        ngx_string("L’étape %V n’a pas pu être contactée."),
        ngx_string("L’étape %V n’a pas pu être contactée de manière sûre."),
        ngx_string("L’étape %V a donné une réponse inutilisable."),
        ngx_string("L’étape %V n’a pas pu être appelée avec les données "
                   "envoyées."),
        ngx_string("L’étape %V n’a pas terminé à temps."),
        ngx_string("L’étape %V n’a pas pu être exécutée."),
        ngx_string("L’application n’a pas pu être contactée, mais "
                   "ces étapes ont été exécutées : %V."),
        ngx_string("Rien ne peut être modifié à cette adresse."),
        ngx_string("La tâche n’a pas pu être consultée."),
        ngx_string("Il n’a pas été possible de déterminer qui vous êtes."),
        ngx_string("Vous n’êtes pas connecté, ou votre session a expiré."),
        ngx_string("Vous n’avez pas le droit de faire cela."),
        ngx_string("Une erreur s’est produite dans la passerelle placée "
                   "devant l’application."),
        ngx_string("L’application n’a pas pu être contactée."),
        ngx_string("Trop de données ont été envoyées en une fois."),
        ngx_string("Du JSON a été envoyé avec le Content-Type d’un "
                   "formulaire ; il faudrait application/json."),
        ngx_string("Les données ont été envoyées sous une forme qui n’est "
                   "pas comprise ici."),
        ngx_string("La requête nomme deux méthodes, et on ne sait pas "
                   "laquelle compte."),
        ngx_string("Les données envoyées n’ont pas pu être lues."),
        ngx_string("Elle a déjà été effectuée, mais son résultat ne peut pas "
                   "être affiché."),
        ngx_string("Elle a déjà été envoyée, et peut-être effectuée."),
        ngx_string("Elle a déjà été envoyée et est encore en cours."),
        ngx_string("Autre chose a déjà été envoyé avec le même formulaire ou "
                   "la même clé."),
        ngx_string("La réponse était :"),
        ngx_string("Rien n’a été modifié dans l’application."),
        ngx_string("Leurs effets sont annulés dans la mesure du possible."),
        ngx_string("Ce que vous pouvez faire"),
        ngx_string("Revenez en arrière, vérifiez votre saisie et "
                   "réessayez."),
        ngx_string("Attendez un instant, puis revenez en arrière et "
                   "réessayez."),
        ngx_string("Revenez en arrière et réessayez plus tard : quelqu’un "
                   "doit peut-être d’abord corriger le problème."),
        ngx_string("Revenez en arrière, raccourcissez votre saisie et "
                   "réessayez."),
        ngx_string("Réessayer ne servira à rien : veuillez contacter "
                   "l’assistance."),
        ngx_string("Connectez-vous, puis revenez en arrière et réessayez."),
        ngx_string("Vérifiez la tâche avant de réessayer."),
        ngx_string("Revenez en arrière, rechargez la page et réessayez."),
        ngx_string("Retour à la page précédente"),
        ngx_string("Si vous avez besoin d’aide, indiquez ce numéro à "
                   "l’assistance :")
      } },

    { ngx_string("it"), 0, ngx_string(" "),
      {
        ngx_string("L’azione «%V» non è stata eseguita"),
        ngx_string("L’azione non è stata eseguita"),
        ngx_string("L’azione non è stata eseguita di nuovo"),
        ngx_string("Il passaggio %V l’ha rifiutata."),
        ngx_string("Il passaggio %V al momento non funziona."),
        ngx_string("Il passaggio %V ha impiegato troppo tempo."),
        ngx_string("Il passaggio %V non era raggiungibile."),
        ngx_string("Il passaggio %V non era raggiungibile in modo sicuro."),
        ngx_string("Il passaggio %V ha dato una risposta inutilizzabile."),
        ngx_string("Non è stato possibile chiamare il passaggio %V con i "
                   "dati inviati."),
        ngx_string("Il passaggio %V non ha terminato in tempo."),
        ngx_string("Non è stato possibile eseguire il passaggio %V."),
        ngx_string("L’applicazione non era raggiungibile, ma "
                   "questi passaggi sono stati eseguiti: %V."),
        ngx_string("A questo indirizzo non è possibile modificare nulla."),
        ngx_string("Non è stato possibile consultare l’attività."),
        ngx_string("Non è stato possibile stabilire chi è Lei."),
        ngx_string("Non ha effettuato l’accesso o la sessione è scaduta."),
        ngx_string("Non è autorizzato a farlo."),
        ngx_string("Si è verificato un errore nel gateway davanti "
                   "all’applicazione."),
        ngx_string("L’applicazione non era raggiungibile."),
        ngx_string("Sono stati inviati troppi dati in una volta."),
        ngx_string("È stato inviato JSON con il Content-Type di un "
                   "modulo; dovrebbe essere application/json."),
        ngx_string("I dati sono stati inviati in un formato che qui non è "
                   "compreso."),
        ngx_string("La richiesta indica due metodi e non si sa quale "
                   "valga."),
        ngx_string("Non è stato possibile leggere i dati inviati."),
        ngx_string("È già stata eseguita, ma non se ne può mostrare l’esito."),
        ngx_string("È già stata inviata, e forse eseguita."),
        ngx_string("È già stata inviata ed è ancora in corso."),
        ngx_string("Con lo stesso modulo o la stessa chiave è già stato "
                   "inviato qualcos’altro."),
        ngx_string("La risposta è stata:"),
        ngx_string("Nell’applicazione non è stato modificato nulla."),
        ngx_string("Ciò che hanno fatto viene annullato per quanto "
                   "possibile."),
        ngx_string("Che cosa può fare"),
        ngx_string("Torni indietro, controlli i dati inseriti e riprovi."),
        ngx_string("Attenda un momento, poi torni indietro e riprovi."),
        ngx_string("Torni indietro e riprovi più tardi: forse qualcuno "
                   "deve prima risolvere il problema."),
        ngx_string("Torni indietro, abbrevi i dati inseriti e riprovi."),
        ngx_string("Riprovare non servirà: si rivolga all’assistenza."),
        ngx_string("Effettui l’accesso, poi torni indietro e riprovi."),
        ngx_string("Controlli l’attività prima di riprovare."),
        ngx_string("Torni indietro, ricarichi la pagina e riprovi."),
        ngx_string("Torna alla pagina precedente"),
        ngx_string("Se ha bisogno di aiuto, comunichi questo numero "
                   "all’assistenza:")
      } },

    { ngx_string("ja"), 0, ngx_string(""),
      {
        ngx_string("「%V」は実行されませんでした"),
        ngx_string("操作は実行されませんでした"),
        ngx_string("操作は再実行されませんでした"),
        ngx_string("ステップ %V に拒否されました。"),
        ngx_string("ステップ %V は現在動作していません。"),
        ngx_string("ステップ %V に時間がかかりすぎました。"),
        ngx_string("ステップ %V に接続できませんでした。"),
        ngx_string("ステップ %V に安全に接続できませんでした。"),
        ngx_string("ステップ %V の応答は使用できないものでした。"),
        ngx_string("送信されたデータでは、ステップ %V を呼び出せませんでし"
                   "た。"),
        ngx_string("ステップ %V は時間内に完了しませんでした。"),
        ngx_string("ステップ %V を実行できませんでした。"),
        ngx_string("アプリに接続できませんでしたが、次の"
                   "ステップは実行されました: %V"),
        ngx_string("このアドレスでは何も変更できません。"),
        ngx_string("タスクを取得できませんでした。"),
        ngx_string("ユーザーを確認できませんでした。"),
        ngx_string("ログインしていないか、セッションの有効期限が切れています"
                   "。"),
        ngx_string("この操作を行う権限がありません。"),
        ngx_string("アプリの手前にあるゲートウェイでエラーが発生しました。"),
        ngx_string("アプリに接続できませんでした。"),
        ngx_string("一度に送信されたデータが多すぎます。"),
        ngx_string("JSON がフォームの Content-Type で送信されました。"
                   "application/json である必要があります。"),
        ngx_string("送信されたデータの形式には対応していません。"),
        ngx_string("リクエストに 2 つのメソッドが指定されており、どちらが"
                   "有効か判断できません。"),
        ngx_string("送信されたデータを読み取れませんでした。"),
        ngx_string("すでに実行されましたが、結果を表示できません。"),
        ngx_string("すでに送信されており、実行された可能性があります。"),
        ngx_string("すでに送信されており、まだ実行中です。"),
        ngx_string("同じフォームまたはキーで、すでに別の内容が送信されています。"),
        ngx_string("応答の内容："),
        ngx_string("アプリでは何も変更されていません。"),
        ngx_string("これらのステップによる変更は、可能な範囲で取り消しています。"),
        ngx_string("次にできること"),
        ngx_string("前のページに戻り、入力内容を確認してから、もう一度お試"
                   "しください。"),
        ngx_string("しばらく待ってから前のページに戻り、もう一度お試しくだ"
                   "さい。"),
        ngx_string("前のページに戻り、しばらくしてからもう一度お試しくださ"
                   "い。先に担当者による復旧が必要な場合があります。"),
        ngx_string("前のページに戻り、入力内容を短くしてから、もう一度お試"
                   "しください。"),
        ngx_string("もう一度試しても解決しません。サポートにお問い合わせく"
                   "ださい。"),
        ngx_string("ログインしてから前のページに戻り、もう一度お試しください"
                   "。"),
        ngx_string("もう一度試す前に、タスクを確認してください。"),
        ngx_string("前のページに戻り、再読み込みしてから、もう一度お試しください。"),
        ngx_string("前のページに戻る"),
        ngx_string("サポートに問い合わせる際は、この番号をお知らせください"
                   "：")
      } },

    { ngx_string("nl"), 0, ngx_string(" "),
      {
        ngx_string("“%V” is niet uitgevoerd"),
        ngx_string("De actie is niet uitgevoerd"),
        ngx_string("De actie is niet nog een keer uitgevoerd"),
        ngx_string("De stap %V heeft dit geweigerd."),
        ngx_string("De stap %V werkt op dit moment niet."),
        ngx_string("De stap %V duurde te lang."),
        ngx_string("De stap %V was niet bereikbaar."),
        ngx_string("De stap %V was niet veilig bereikbaar."),
        ngx_string("De stap %V gaf een antwoord dat niet bruikbaar is."),
        ngx_string("De stap %V kon met de verzonden gegevens niet worden "
                   "aangeroepen."),
        ngx_string("De stap %V was niet op tijd klaar."),
        ngx_string("De stap %V kon niet worden uitgevoerd."),
        ngx_string("De app was niet bereikbaar, maar deze stappen "
                   "zijn uitgevoerd: %V."),
        ngx_string("Op dit adres kan niets worden gewijzigd."),
        ngx_string("De taak kon niet worden opgehaald."),
        ngx_string("Er kon niet worden vastgesteld wie u bent."),
        ngx_string("U bent niet aangemeld of uw sessie is verlopen."),
        ngx_string("U mag dit niet doen."),
        ngx_string("Er is een fout opgetreden in de gateway voor de app."),
        ngx_string("De app was niet bereikbaar."),
        ngx_string("Er is te veel in één keer verzonden."),
        ngx_string("Er is JSON verzonden met het Content-Type van een "
                   "formulier; dat moet application/json zijn."),
        ngx_string("De gegevens zijn verzonden in een vorm die hier niet "
                   "wordt begrepen."),
        ngx_string("Het verzoek noemt twee methoden en het is niet "
                   "duidelijk welke geldt."),
        ngx_string("De verzonden gegevens konden niet worden gelezen."),
        ngx_string("De actie is al uitgevoerd, maar het resultaat kan niet "
                   "worden getoond."),
        ngx_string("De actie is al verzonden en misschien uitgevoerd."),
        ngx_string("De actie is al verzonden en wordt nog uitgevoerd."),
        ngx_string("Met hetzelfde formulier of dezelfde sleutel is al iets "
                   "anders verzonden."),
        ngx_string("Het antwoord was:"),
        ngx_string("In de app is niets gewijzigd."),
        ngx_string("Wat ze hebben gedaan, wordt zo veel mogelijk ongedaan "
                   "gemaakt."),
        ngx_string("Wat u kunt doen"),
        ngx_string("Ga terug, controleer wat u hebt ingevuld en probeer "
                   "het opnieuw."),
        ngx_string("Wacht even, ga dan terug en probeer het opnieuw."),
        ngx_string("Ga terug en probeer het later opnieuw: misschien moet "
                   "iemand het eerst herstellen."),
        ngx_string("Ga terug, kort in wat u hebt ingevuld en probeer het "
                   "opnieuw."),
        ngx_string("Opnieuw proberen helpt niet: neem contact op met de "
                   "helpdesk."),
        ngx_string("Meld u aan, ga dan terug en probeer het opnieuw."),
        ngx_string("Bekijk de taak en probeer het dan pas opnieuw."),
        ngx_string("Ga terug, laad de pagina opnieuw en probeer het nog een "
                   "keer."),
        ngx_string("Terug naar de vorige pagina"),
        ngx_string("Als u hulp nodig hebt, geef dan dit nummer door aan "
                   "de helpdesk:")
      } },

    { ngx_string("pl"), 0, ngx_string(" "),
      {
        ngx_string("Nie wykonano akcji „%V”"),
        ngx_string("Nie wykonano akcji"),
        ngx_string("Akcji nie wykonano ponownie"),
        ngx_string("Krok %V odrzucił tę akcję."),
        ngx_string("Krok %V obecnie nie działa."),
        ngx_string("Krok %V trwał zbyt długo."),
        ngx_string("Nie udało się połączyć z krokiem %V."),
        ngx_string("Nie udało się bezpiecznie połączyć z krokiem %V."),
        ngx_string("Krok %V dał odpowiedź, której nie można użyć."),
        ngx_string("Nie można wywołać kroku %V z przesłanymi danymi."),
        ngx_string("Krok %V nie zakończył się na czas."),
        ngx_string("Nie udało się wykonać kroku %V."),
        ngx_string("Nie udało się połączyć z aplikacją, ale te "
                   "kroki zostały wykonane: %V."),
        ngx_string("Pod tym adresem nie można niczego zmienić."),
        ngx_string("Nie udało się pobrać zadania."),
        ngx_string("Nie udało się ustalić, kim jesteś."),
        ngx_string("Nie jesteś zalogowany lub sesja wygasła."),
        ngx_string("Nie masz do tego uprawnień."),
        ngx_string("Wystąpił błąd bramy przed aplikacją."),
        ngx_string("Nie udało się połączyć z aplikacją."),
        ngx_string("Przesłano zbyt wiele danych naraz."),
        ngx_string("Przesłano JSON z nagłówkiem Content-Type formularza; "
                   "powinno być application/json."),
        ngx_string("Dane przesłano w formacie, który nie jest tu "
                   "obsługiwany."),
        ngx_string("Żądanie podaje dwie metody i nie wiadomo, która "
                   "obowiązuje."),
        ngx_string("Nie udało się odczytać przesłanych danych."),
        ngx_string("Wykonano ją już, ale nie można pokazać jej wyniku."),
        ngx_string("Wysłano ją już wcześniej i być może wykonano."),
        ngx_string("Wysłano ją już wcześniej i wciąż jest wykonywana."),
        ngx_string("Z tego samego formularza lub z tym samym kluczem wysłano "
                   "już coś innego."),
        ngx_string("Odpowiedź brzmiała:"),
        ngx_string("W aplikacji niczego nie zmieniono."),
        ngx_string("Ich skutki są w miarę możliwości cofane."),
        ngx_string("Co można zrobić"),
        ngx_string("Wróć, sprawdź wprowadzone dane i spróbuj ponownie."),
        ngx_string("Poczekaj chwilę, a potem wróć i spróbuj ponownie."),
        ngx_string("Wróć i spróbuj ponownie później: być może ktoś musi "
                   "najpierw usunąć usterkę."),
        ngx_string("Wróć, skróć wprowadzone dane i spróbuj ponownie."),
        ngx_string("Ponowna próba nie pomoże: skontaktuj się z pomocą "
                   "techniczną."),
        ngx_string("Zaloguj się, a potem wróć i spróbuj ponownie."),
        ngx_string("Sprawdź zadanie, zanim spróbujesz ponownie."),
        ngx_string("Wróć, odśwież stronę i spróbuj ponownie."),
        ngx_string("Wróć na poprzednią stronę"),
        ngx_string("Jeśli potrzebujesz pomocy, podaj pomocy technicznej "
                   "ten numer:")
      } },

    { ngx_string("pt"), 0, ngx_string(" "),
      {
        ngx_string("A ação “%V” não foi executada"),
        ngx_string("A ação não foi executada"),
        ngx_string("A ação não foi executada novamente"),
        ngx_string("A etapa %V recusou a ação."),
        ngx_string("A etapa %V não funciona neste momento."),
        ngx_string("A etapa %V demorou demais."),
        ngx_string("A etapa %V não estava acessível."),
        ngx_string("A etapa %V não estava acessível de forma segura."),
        ngx_string("A etapa %V deu uma resposta que não pode ser usada."),
        ngx_string("Não foi possível chamar a etapa %V com os dados "
                   "enviados."),
        ngx_string("A etapa %V não terminou a tempo."),
        ngx_string("Não foi possível executar a etapa %V."),
        ngx_string("A aplicação não estava acessível, mas estas "
                   "etapas foram executadas: %V."),
        ngx_string("Neste endereço não é possível alterar nada."),
        ngx_string("Não foi possível consultar a tarefa."),
        ngx_string("Não foi possível determinar quem é o utilizador."),
        ngx_string("Não iniciou sessão ou a sua sessão expirou."),
        ngx_string("Não tem permissão para fazer isto."),
        ngx_string("Ocorreu um erro no gateway que está à frente da "
                   "aplicação."),
        ngx_string("A aplicação não estava acessível."),
        ngx_string("Foram enviados dados demais de uma só vez."),
        ngx_string("Foi enviado JSON com o Content-Type de um formulário; "
                   "deveria ser application/json."),
        ngx_string("Os dados foram enviados num formato que não é "
                   "compreendido aqui."),
        ngx_string("O pedido indica dois métodos, e não se sabe qual "
                   "deles vale."),
        ngx_string("Não foi possível ler os dados enviados."),
        ngx_string("Já foi executada, mas o resultado não pode ser exibido."),
        ngx_string("Ela já foi enviada, e talvez tenha sido executada."),
        ngx_string("Ela já foi enviada e ainda está em execução."),
        ngx_string("Já foi enviada outra coisa com o mesmo formulário ou a "
                   "mesma chave."),
        ngx_string("A resposta foi:"),
        ngx_string("Nada foi alterado na aplicação."),
        ngx_string("O que foi feito está a ser desfeito na medida do "
                   "possível."),
        ngx_string("O que pode fazer"),
        ngx_string("Volte, verifique o que escreveu e tente novamente."),
        ngx_string("Aguarde um momento, volte e tente novamente."),
        ngx_string("Volte e tente novamente mais tarde: talvez seja "
                   "preciso que alguém resolva o problema primeiro."),
        ngx_string("Volte, encurte o que escreveu e tente novamente."),
        ngx_string("Tentar novamente não vai ajudar: fale com o suporte."),
        ngx_string("Inicie sessão, volte e tente novamente."),
        ngx_string("Verifique a tarefa antes de tentar novamente."),
        ngx_string("Volte, recarregue a página e tente novamente."),
        ngx_string("Voltar à página anterior"),
        ngx_string("Se precisar de ajuda, informe este número ao suporte:")
      } },

    { ngx_string("zh"), 0, ngx_string(""),
      {
        ngx_string("“%V”未执行"),
        ngx_string("操作未执行"),
        ngx_string("操作未再次执行"),
        ngx_string("步骤 %V 拒绝了此操作。"),
        ngx_string("步骤 %V 目前无法正常工作。"),
        ngx_string("步骤 %V 耗时过长。"),
        ngx_string("无法连接到步骤 %V。"),
        ngx_string("无法安全地连接到步骤 %V。"),
        ngx_string("步骤 %V 的答复无法使用。"),
        ngx_string("无法用所发送的数据调用步骤 %V。"),
        ngx_string("步骤 %V 未能及时完成。"),
        ngx_string("无法执行步骤 %V。"),
        ngx_string("无法连接到应用，但以下步骤"
                   "已经执行：%V。"),
        ngx_string("此地址不允许进行任何更改。"),
        ngx_string("无法获取任务。"),
        ngx_string("无法确定您的身份。"),
        ngx_string("您尚未登录，或会话已过期。"),
        ngx_string("您无权执行此操作。"),
        ngx_string("应用前面的网关出现故障。"),
        ngx_string("无法连接到应用。"),
        ngx_string("一次发送的数据过多。"),
        ngx_string("JSON 是以表单的 Content-Type 发送的，应使用 "
                   "application/json。"),
        ngx_string("此处无法识别所发送数据的格式。"),
        ngx_string("请求中指定了两个方法，无法确定以哪个为准。"),
        ngx_string("无法读取所发送的数据。"),
        ngx_string("该操作已执行过，但无法再次显示其结果。"),
        ngx_string("该操作已提交过，可能已经执行。"),
        ngx_string("该操作已提交过，仍在执行中。"),
        ngx_string("已用同一表单或密钥发送过其他内容。"),
        ngx_string("答复如下："),
        ngx_string("应用中未作任何更改。"),
        ngx_string("正在尽可能撤销这些步骤所做的更改。"),
        ngx_string("您可以这样做"),
        ngx_string("请返回，检查您输入的内容，然后重试。"),
        ngx_string("请稍候片刻，然后返回重试。"),
        ngx_string("请返回，稍后再试：可能需要先由相关人员修复。"),
        ngx_string("请返回，缩短您输入的内容，然后重试。"),
        ngx_string("重试不会有帮助：请联系技术支持。"),
        ngx_string("请登录，然后返回重试。"),
        ngx_string("请先查看任务，然后再重试。"),
        ngx_string("请返回并重新加载页面，然后重试。"),
        ngx_string("返回之前的页面"),
        ngx_string("如需帮助，请将此编号告知技术支持：")
      } },

    { ngx_null_string, 0, ngx_null_string, { ngx_null_string } }
};
