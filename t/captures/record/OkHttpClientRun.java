// OkHttp: KIND URL [NAME VALUE | NAME @FILE] ...

import java.io.File;
import okhttp3.FormBody;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;

public class OkHttpClientRun {
    static RequestBody multipart(String[] args) {
        MultipartBody.Builder form =
            new MultipartBody.Builder().setType(MultipartBody.FORM);
        for (int i = 2; i < args.length; i += 2) {
            if (!args[i + 1].startsWith("@")) {
                form.addFormDataPart(args[i], args[i + 1]);
                continue;
            }
            File file = new File(args[i + 1].substring(1));
            form.addFormDataPart(args[i], file.getName(), RequestBody.create(
                MediaType.parse("text/plain"), file));
        }
        return form.build();
    }

    static RequestBody urlencoded(String[] args) {
        FormBody.Builder form = new FormBody.Builder();
        for (int i = 2; i < args.length; i += 2) {
            form.add(args[i], args[i + 1]);
        }
        return form.build();
    }

    public static void main(String[] args) throws Exception {
        HttpUrl.Builder url = HttpUrl.parse(args[1]).newBuilder();
        RequestBody body;

        switch (args[0]) {
        case "urlencoded": body = urlencoded(args); break;
        case "json":
            body = RequestBody.create(
                MediaType.parse("application/json; charset=utf-8"), args[2]);
            break;
        case "query":
            for (int i = 2; i < args.length; i += 2) {
                url.addQueryParameter(args[i], args[i + 1]);
            }
            body = RequestBody.create(null, new byte[0]);
            break;
        default: body = multipart(args);
        }

        Request request = new Request.Builder().url(url.build()).post(body)
            .build();
        new OkHttpClient().newCall(request).execute().close();
        System.exit(0);
    }
}
