// Spring's RestTemplate: KIND URL [NAME VALUE | NAME @FILE] ...

import java.net.URI;
import org.springframework.core.io.FileSystemResource;
import org.springframework.http.HttpEntity;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import org.springframework.web.client.RestTemplate;

public class SpringClientRun {
    public static void main(String[] args) throws Exception {
        HttpHeaders headers = new HttpHeaders();
        Object body;

        if (args[0].equals("json")) {
            headers.setContentType(MediaType.APPLICATION_JSON_UTF8);
            body = args[2].getBytes("UTF-8");
        } else {
            MultiValueMap<String, Object> form = new LinkedMultiValueMap<>();
            for (int i = 2; i < args.length; i += 2) {
                form.add(args[i], args[i + 1].startsWith("@")
                    ? new FileSystemResource(args[i + 1].substring(1))
                    : args[i + 1]);
            }
            headers.setContentType(args[0].equals("urlencoded")
                ? MediaType.APPLICATION_FORM_URLENCODED
                : MediaType.MULTIPART_FORM_DATA);
            body = form;
        }

        new RestTemplate().postForLocation(new URI(args[1]),
            new HttpEntity<>(body, headers));
    }
}
