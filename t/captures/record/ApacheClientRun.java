// Apache HttpClient 4: KIND URL [NAME VALUE | NAME @FILE] ...
// multipart is its default mode, compatible and rfc6532 its others.

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.http.HttpEntity;
import org.apache.http.NameValuePair;
import org.apache.http.client.entity.UrlEncodedFormEntity;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.client.utils.URIBuilder;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.StringEntity;
import org.apache.http.entity.mime.HttpMultipartMode;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.message.BasicNameValuePair;

public class ApacheClientRun {
    static HttpEntity multipart(String[] args) {
        MultipartEntityBuilder form = MultipartEntityBuilder.create();
        ContentType text = ContentType.create("text/plain",
            StandardCharsets.UTF_8);

        if (args[0].equals("compatible")) {
            form.setMode(HttpMultipartMode.BROWSER_COMPATIBLE);
            form.setCharset(StandardCharsets.UTF_8);
        } else if (args[0].equals("rfc6532")) {
            form.setMode(HttpMultipartMode.RFC6532);
        }

        for (int i = 2; i < args.length; i += 2) {
            if (args[i + 1].startsWith("@")) {
                File file = new File(args[i + 1].substring(1));
                form.addBinaryBody(args[i], file);
            } else {
                form.addTextBody(args[i], args[i + 1], text);
            }
        }
        return form.build();
    }

    static List<NameValuePair> pairs(String[] args) {
        List<NameValuePair> pairs = new ArrayList<>();
        for (int i = 2; i < args.length; i += 2) {
            pairs.add(new BasicNameValuePair(args[i], args[i + 1]));
        }
        return pairs;
    }

    public static void main(String[] args) throws Exception {
        URIBuilder uri = new URIBuilder(args[1]);
        HttpEntity body = null;

        switch (args[0]) {
        case "urlencoded":
            body = new UrlEncodedFormEntity(pairs(args),
                StandardCharsets.UTF_8);
            break;
        case "json":
            body = new StringEntity(args[2], ContentType.APPLICATION_JSON);
            break;
        case "query": uri.addParameters(pairs(args)); break;
        default: body = multipart(args);
        }

        HttpPost post = new HttpPost(uri.build());
        post.setEntity(body);
        try (CloseableHttpClient client = HttpClients.createDefault()) {
            client.execute(post).close();
        }
    }
}
